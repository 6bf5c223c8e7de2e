"""One plane through the checkpoints of several lanes, and the model's own loss over it.

Source:
    Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 7 (directions by PCA of the trajectory); here of
    the checkpoints of all lanes together, around their mean.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import NotApplicable
from core.results.shared_plane import SharedPlane
from core.types import Report

if TYPE_CHECKING:
    import torch
    from torch import nn

MARGIN = 0.25
"""What is shown around the ways, in shares of their extent."""
LEAST = 0.2
"""The shorter side in view, in shares of the longer one."""
CHUNK = 1 << 16
"""Weights at once, where all checkpoints are multiplied with each other in float64."""


@dataclass(frozen=True, slots=True)
class Way:
    """The checkpoints of one lane, in order of steps."""

    lane: int
    label: str
    steps: np.ndarray
    """(K,) int64."""
    points: np.ndarray
    """(K, P): the trained weights, float32."""


@dataclass(frozen=True, slots=True)
class Plane:
    """`centre + a * directions[0] + b * directions[1]`; directions are orthonormal. Float64."""

    centre: np.ndarray
    """(P,)."""
    directions: np.ndarray
    """(2, P)."""
    explained: np.ndarray
    """(2,): share of the variance along each direction, in [0, 1]."""

    def coordinates(self, points: np.ndarray) -> np.ndarray:
        """Points (K, P) projected, (K, 2)."""
        return np.array([self.directions @ (point - self.centre) for point in points])

    def point(self, a: float, b: float) -> np.ndarray:
        """The weights (P,) at a place of the plane."""
        place: np.ndarray = self.centre + a * self.directions[0] + b * self.directions[1]
        return place

    def distances(self, points: np.ndarray) -> np.ndarray:
        """How far points (K, P) lie off the plane, (K,)."""
        off = [np.linalg.norm(point - self.point(*at)) for point, at in zip(points, self.coordinates(points), strict=True)]
        return np.array(off)


def principal_plane(points: np.ndarray) -> Plane:
    """The plane of the first two principal components of points (K, P), by the eigenvectors of their K × K products.

    Each direction points to where the last of the points lies.

    Raises:
        NotApplicable: all points are the same, or there is but one weight.
    """
    if points.shape[1] < 2:
        raise NotApplicable("This model has one weight: there is no plane.", hint="Look at its loss along a line.")
    centre = points.mean(0, dtype=np.float64)
    products = np.zeros((len(points), len(points)))
    for start in range(0, points.shape[1], CHUNK):
        part = points[:, start : start + CHUNK] - centre[start : start + CHUNK]
        products += part @ part.T
    variances, vectors = np.linalg.eigh(products)  # rising
    total = float(variances.clip(0).sum())
    if total <= 0:
        raise NotApplicable("The weights have not moved: there is no plane through one point.", hint="Train for some steps.")
    directions = [_direction(points, centre, vectors[:, -1 - i], variances[-1 - i], total) for i in range(2)]
    first = directions[0] if directions[0] is not None else np.eye(1, points.shape[1])[0]
    second = directions[1] if directions[1] is not None else _across(first)
    both = np.stack([first, second])
    signs = np.where(both @ (points[-1] - centre) < 0, -1.0, 1.0)
    return Plane(centre, both * signs[:, None], variances[[-1, -2]].clip(0) / total)


def _direction(points: np.ndarray, centre: np.ndarray, vector: np.ndarray, variance: float, total: float) -> np.ndarray | None:
    """A principal direction (P,) of length 1; None where the points do not differ along it beyond rounding."""
    if variance < 1e-12 * total:
        return None
    parts = range(0, points.shape[1], CHUNK)
    along = np.concatenate([vector @ points[:, at : at + CHUNK].astype(np.float64) for at in parts]) - vector.sum() * centre
    return np.asarray(along / np.linalg.norm(along))


def _across(first: np.ndarray) -> np.ndarray:
    """Some direction at a right angle to the first: all points lie on one line."""
    other = np.zeros_like(first)
    other[int(np.abs(first).argmin())] = 1.0
    other -= (other @ first) * first
    return np.asarray(other / np.linalg.norm(other))


def view(places: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The grid in view around places (K, 2): `side` values along each axis."""
    low, high = places.min(0), places.max(0)
    extent = np.maximum(high - low, LEAST * (high - low).max())
    middle, half = (low + high) / 2, (0.5 + MARGIN) * extent
    x, y = (np.linspace(middle[i] - half[i], middle[i] + half[i], side) for i in range(2))
    return x, y


class PlaneLoss:
    """The mean loss of a model over fixed examples, as a function of its trained weights (P,).

    In evaluation mode, without dropout. A batch normalisation takes mean and variance from the examples themselves, at every
    place anew: its running ones belong to the weights of one checkpoint, and between checkpoints there are none.
    """

    def __init__(self, model: "nn.Module", loss: "nn.Module", x: "torch.Tensor", y: "torch.Tensor") -> None:
        from torch import nn

        self.model = copy.deepcopy(model).eval()
        self.loss, self.x, self.y = loss, x, y
        norms = [one for one in self.model.modules() if isinstance(one, nn.BatchNorm1d | nn.BatchNorm2d)]
        for norm in norms:  # without running statistics, torch takes those of the batch
            norm.track_running_stats, norm.running_mean, norm.running_var = False, None, None
        self.is_recomputed = bool(norms)
        self.parameters = [one for one in self.model.parameters() if one.requires_grad]

    def outputs(self, weights: np.ndarray) -> "torch.Tensor":
        """What the model answers to the examples with these weights, (N, K) float32; float64 from a model in float64."""
        import torch

        flat = torch.from_numpy(np.asarray(weights, dtype=np.float64))
        with torch.no_grad():
            start = 0
            for parameter in self.parameters:
                part = flat[start : start + parameter.numel()]
                parameter.copy_(part.reshape(parameter.shape))
                start += parameter.numel()
            output: torch.Tensor = self.model(self.x)
        return output if output.dtype == torch.float64 else output.float()

    def __call__(self, weights: np.ndarray) -> float:
        """The loss there; NaN or infinite where it is not finite."""
        return float(self.loss(self.outputs(weights), self.y).item())


def flat_weights(model: "nn.Module", state: "dict[str, torch.Tensor]") -> np.ndarray:
    """The trained weights in a state_dict of `model` as one row (P,) float32, in the order of its parameters."""
    names = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    return np.concatenate([state[name].detach().cpu().float().numpy().ravel() for name in names])


def loss_over(loss: PlaneLoss, plane: Plane, x: np.ndarray, y: np.ndarray, report: Report) -> np.ndarray:
    """The loss at all places of a grid, (len(y), len(x))."""
    found = np.empty((len(y), len(x)))
    for done, (row, column) in enumerate(np.ndindex(found.shape), start=1):
        found[row, column] = loss(plane.point(float(x[column]), float(y[row])))
        report(done, found.size)
    return found


def shared_plane(ways: Sequence[Way], loss: PlaneLoss, side: int, unit: str, report: Report) -> SharedPlane:
    """The plane of the checkpoints of some lanes, with the loss over `side` × `side` places of it.

    Raises:
        NotApplicable: the weights have not moved.
    """
    points = np.concatenate([way.points for way in ways])
    cuts = np.cumsum([len(way.points) for way in ways])[:-1]
    plane = principal_plane(points)
    places, distances = plane.coordinates(points), plane.distances(points)
    x, y = view(places, side)
    n_own, total = len(points), len(points) + side * side
    own = []
    for done, point in enumerate(points, start=1):
        own.append(loss(point))
        report(done, total)
    return SharedPlane(
        x=x,
        y=y,
        loss=loss_over(loss, plane, x, y, lambda done, _: report(n_own + done, total)),
        explained=plane.explained,
        labels=tuple(way.label for way in ways),
        lanes=tuple(way.lane for way in ways),
        paths=tuple(np.split(places, cuts)),
        steps=tuple(way.steps for way in ways),
        path_losses=tuple(np.split(np.array(own), cuts)),
        distances=tuple(np.split(distances, cuts)),
        n_examples=len(loss.y),
        n_parameters=points.shape[1],
        unit=unit,
        is_recomputed=loss.is_recomputed,
    )
