"""Points of many dimensions as a picture that stays comparable from moment to moment, and how far to trust it.

Sources:
    Venna and Kaski 2001, "Neighborhood preservation in nonlinear projection methods" (trustworthiness).
    Schönemann 1966, "A generalized solution of the orthogonal Procrustes problem" (alignment).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import NotApplicable

EXACT_FEATURES = 512
"""Up to so many features the covariance is decomposed as a whole; beyond, only the wanted directions are sought."""
NEIGHBORS = 12
"""Nearest neighbours by which a picture is judged."""
FIRST_COMPONENTS = 50
"""What t-SNE and UMAP begin with: distances in noise beyond that mislead them, and cost time."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Principal directions that all moments share: how examples differ within a moment, all moments together.

    What all examples do together from one moment to the next (activations grow in training) is left out: each moment is drawn
    around its own mean. Else that drift would be the first component, and squeeze everything else.
    """

    directions: np.ndarray
    """(k, F) float32, orthonormal, most variance first; the largest entry of each is positive."""
    explained: np.ndarray
    """(k,) float64: shares of the variance within the moments, in [0, 1]."""

    def places(self, features: np.ndarray) -> np.ndarray:
        """Points (N, F) of one moment as their components (N, k) float32, around their mean."""
        places: np.ndarray = centred(features) @ self.directions.T
        return places.astype(np.float32)


def centred(features: np.ndarray) -> np.ndarray:
    """Points (N, F) without their mean, float32."""
    around: np.ndarray = features - features.mean(0, dtype=np.float64)
    return around.astype(np.float32)


def common_basis(moments: Sequence[np.ndarray], k: int, seed: int) -> Basis:
    """At most `k` principal directions of the points (N, F) of all moments together, each moment around its own mean, as
    scikit-learn finds them.

    Raises:
        NotApplicable: at every moment all points are the same.
    """
    from sklearn.decomposition import PCA

    points = np.concatenate([centred(moment) for moment in moments])
    if all(is_constant(moment) for moment in moments):
        raise NotApplicable(
            "This layer gives the same for all of these examples: there is nothing to draw.",
            hint="Choose another layer, or look whether its units are dead.",
        )
    n_features = points.shape[1]
    k = min(k, n_features, len(points) - 1)
    if n_features <= EXACT_FEATURES:
        fitted = PCA(k, svd_solver="covariance_eigh").fit(points.astype(np.float64))
    else:
        fitted = PCA(k, svd_solver="arpack", random_state=seed).fit(points)
    return Basis(fitted.components_.astype(np.float32), fitted.explained_variance_ratio_.astype(np.float64))


def share_seen(features: np.ndarray, places: np.ndarray) -> float:
    """The share of the variance of points (N, F) that their components (N, k) hold; NaN where the points do not differ."""
    total = float(features.var(0, dtype=np.float64).sum())
    return min(1.0, float(places.var(0, dtype=np.float64).sum()) / total) if total > 0 else float("nan")


def is_constant(features: np.ndarray) -> bool:
    """Whether all points (N, F) are the same."""
    return not np.ptp(features, axis=0).any()


def neighbors_looked_at(n: int) -> int:
    """How many nearest neighbours `trust` looks at among `n` points: the measure is defined below half of them."""
    return max(1, min(NEIGHBORS, (n - 1) // 2))


def trust(features: np.ndarray, positions: np.ndarray, k: int) -> tuple[float, float]:
    """Trustworthiness of a picture, and the share of the `k` nearest neighbours in it that are the nearest in the layer too.

    Both NaN where all points of the layer are the same.
    """
    from sklearn.manifold import trustworthiness
    from sklearn.neighbors import NearestNeighbors

    if is_constant(features):
        return float("nan"), float("nan")
    near = [NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False) for points in (features, positions)]
    shared = [len(np.intersect1d(*rows)) for rows in zip(*near, strict=True)]
    return float(trustworthiness(features, positions, n_neighbors=k)), float(np.mean(shared)) / k


def aligned(positions: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """A picture (N, d), whose turn and size mean nothing, laid over another one: centred, of size 1, turned and mirrored so
    that the squared distances between the two are least.

    Size is the root of the mean square distance from the centre.
    """
    from scipy.linalg import orthogonal_procrustes

    points, other = _of_size_one(positions), _of_size_one(reference)
    turn, _ = orthogonal_procrustes(points, other)
    turned: np.ndarray = points @ turn
    return turned.astype(np.float32)


def _of_size_one(positions: np.ndarray) -> np.ndarray:
    around = positions.astype(np.float64) - positions.mean(0, dtype=np.float64)
    size = float(np.sqrt((around**2).sum(1).mean()))
    scaled: np.ndarray = around / size if size > 0 else around
    return scaled


def in_dimensions(places: np.ndarray, d: int) -> np.ndarray:
    """The first `d` components (N, d); zeros for those that there are not."""
    padded: np.ndarray = np.pad(places[:, :d], ((0, 0), (0, max(0, d - places.shape[1]))))
    return padded
