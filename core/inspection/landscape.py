"""The loss around some weights, along filter-normalised random directions, or on the way from other weights.

Sources:
    Li et al. 2018, "Visualizing the Loss Landscape of Neural Nets", section 4 (filter normalisation); Goodfellow et al. 2015,
    "Qualitatively Characterizing Neural Network Optimization Problems", section 3 (the straight line between two weights).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from core.errors import NotApplicable
from core.inspection.shared_plane import PlaneLoss
from core.seeds import numpy_stream
from core.types import Report

if TYPE_CHECKING:
    import torch
    from torch import nn

RING = 16
"""Places on the circle on which the sharpness is the mean."""
Figures = tuple[float, float]
"""Loss and score at one place."""
Measure = Callable[[np.ndarray], Figures]
"""From weights (P,) to their figures."""
Score = Callable[["nn.Module", "torch.Tensor", "torch.Tensor"], float]
"""(model, outputs, targets) -> accuracy or R²."""


def measure(loss: PlaneLoss, score: Score) -> Measure:
    """Loss and score by one pass of the examples; both NaN where the outputs are not finite."""

    def figures(weights: np.ndarray) -> Figures:
        outputs = loss.outputs(weights)
        if not bool(outputs.isfinite().all()):
            return np.nan, np.nan
        return float(loss.loss(outputs, loss.y).item()), score(loss.model, outputs, loss.y)

    return figures


def filter_numbers(model: "nn.Module") -> np.ndarray:
    """Which filter each trained weight belongs to, (P,) int64 from 0, in the order of the parameters; -1 where it has none.

    A filter is what makes one output: a channel of a convolution, a neuron's row of weights, a gate's unit, a token's vector.
    Biases, and the scales and shifts of normalisations, belong to none.
    """
    from torch import nn

    norms = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
    transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d)
    found: list[np.ndarray] = []
    seen: set[int] = set()
    n = 0
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            if not parameter.requires_grad or id(parameter) in seen:
                continue
            seen.add(id(parameter))
            numbers = np.full(tuple(parameter.shape), -1, dtype=np.int64)
            if parameter.ndim >= 2 and not isinstance(module, norms):
                axis = 1 if isinstance(module, transposed) else 0  # (in, out, kH, kW): filters are along the second axis
                along = [1] * parameter.ndim
                along[axis] = -1
                numbers[...] = np.arange(n, n + parameter.shape[axis]).reshape(along)
                n += parameter.shape[axis]
            found.append(numbers.ravel())
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def random_directions(weights: np.ndarray, filters: np.ndarray, seed: int, n: int = 2) -> np.ndarray:
    """One or two random directions (n, P), float64: every filter of each has the norm of that filter of `weights` (P,).

    The second is at a right angle to the first within every filter of two weights or more. Numbers are drawn from `seed`
    alone, so that the same directions, scaled to the filters of the moment, go through all moments of a run.

    Raises:
        NotApplicable: there is no filter to move.
    """
    moved = filters >= 0
    if not moved.any() or not np.any(weights[moved]):
        raise NotApplicable(
            "No filter here has a norm: there is nothing to scale a direction to.",
            hint="Look at the line from the initial weights, or at weights that are not all zero.",
        )
    numbers, present = filters[moved], weights[moved].astype(np.float64)
    draws = numpy_stream(seed, "explain").standard_normal((n, len(weights)))[:, moved]
    if n == 2:
        draws[1] = _across(draws[0], draws[1], numbers)
    directions = np.zeros((n, len(weights)))
    norms = np.sqrt(_sums(present * present, numbers))
    for direction, draw in zip(directions, draws, strict=True):
        direction[moved] = draw * (norms / np.sqrt(_sums(draw * draw, numbers)))[numbers]
    return directions


def _sums(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The sum over each filter."""
    return np.bincount(numbers, weights=values)


def _across(first: np.ndarray, second: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The second direction less its part along the first, filter by filter; filters of one weight have no other direction."""
    share = _sums(first * second, numbers) / _sums(first * first, numbers)
    share[np.bincount(numbers) < 2] = 0.0
    return np.asarray(second - share[numbers] * first)


def angle(directions: np.ndarray) -> float:
    """Between two directions (2, P), in degrees from 0 to 180."""
    first, second = (direction / np.linalg.norm(direction) for direction in directions)
    return float(np.degrees(np.arccos(np.clip(first @ second, -1, 1))))


def even_axis(span: float, side: int) -> np.ndarray:
    """`side` places from -span to span, an odd number, so that 0 is the middle one. Finer axes hit the places of coarser ones
    to the last bit where the distances divide."""
    half = side // 2
    return np.asarray(span * (np.arange(-half, half + 1) / half))


def figures_along(measure: Measure, centre: np.ndarray, direction: np.ndarray, at: np.ndarray, report: Report) -> np.ndarray:
    """Loss and score (n, 2) at `centre + a * direction` for each a of `at` (n,)."""
    found = np.empty((len(at), 2))
    for index, a in enumerate(at):
        found[index] = measure(centre + a * direction)
        report(index + 1, len(at))
    return found


def figures_over(
    measure: Measure,
    centre: np.ndarray,
    directions: np.ndarray,
    places: np.ndarray,
    known: dict[Figures, Figures],
    report: Report,
) -> np.ndarray:
    """Loss and score (n, 2) at places (n, 2) of a plane. What is `known` is not computed again; what is found becomes known."""
    found = np.empty((len(places), 2))
    for index, (a, b) in enumerate(places.tolist()):
        if (a, b) not in known:
            known[a, b] = measure(centre + a * directions[0] + b * directions[1])
        found[index] = known[a, b]
        report(index + 1, len(places))
    return found


def grid_places(axis: np.ndarray) -> np.ndarray:
    """The places of a square grid (side², 2), row by row: (along direction 1, along direction 2)."""
    b, a = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([a.ravel(), b.ravel()], 1)


def ring_places(radius: float) -> np.ndarray:
    """Places evenly spread on a circle, (RING, 2)."""
    turns = 2 * np.pi * np.arange(RING) / RING
    return radius * np.stack([np.cos(turns), np.sin(turns)], 1)
