"""Whether other methods say the same about the same prediction."""

from collections.abc import Sequence

import numpy as np

from core.explanation.explainer import ExplainerChoice
from core.explanation.segments import grid
from core.results.attribution import Attribution

COMPARED = 2
"""Other methods asked; each costs as much as itself."""
PREFERRED = ("integrated_gradients", "shap_superpixels", "occlusion", "grad_cam", "shap_tabular", "lime_tabular")
"""Unlike each other, and quick. Where none of them applies, the first ones of the menu are asked."""
COMPARED_PATCHES = 49


def companions(method: ExplainerChoice, fitting: Sequence[ExplainerChoice]) -> tuple[ExplainerChoice, ...]:
    """The methods to compare with, out of those that apply, with the same baseline where they have one.

    For texts that is what stands for a hidden word: the token for an unknown one where `method` takes it, else what they have.
    """
    rank = {kind: i for i, kind in enumerate(PREFERRED)}
    others = sorted((one for one in fitting if one.kind != method.kind), key=lambda one: rank.get(one.kind, len(rank)))
    baseline, hidden = getattr(method, "baseline", None), getattr(method, "hidden", None)
    asked = {"baseline": baseline} if baseline else {"hidden": hidden} if hidden == "unknown" else {}
    return tuple(one.but(**asked) if asked.keys() <= type(one).model_fields.keys() else one for one in others[:COMPARED])


def comparable(found: Attribution, other: Attribution, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of both (M,) for the same parts: means over the patches of one of them or of a grid; features; words at `places`.

    Where one of the two has no signs, sizes are compared.
    """
    values = [np.asarray(one.values, np.float64) for one in (found, other)]
    if not (found.signed and other.signed):
        values = [np.abs(one) for one in values]
    if values[0].ndim == 1:
        return values[0][places], values[1][places]
    segments = found.segments if found.segments is not None else other.segments
    if segments is None:
        segments = grid(values[0].shape, COMPARED_PATCHES)
    sizes = np.bincount(segments.ravel())
    means = [np.bincount(segments.ravel(), one.ravel()) / sizes for one in values]
    return means[0], means[1]
