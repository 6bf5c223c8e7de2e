"""Deletion and insertion: does the output follow when what an explanation calls important is hidden, or shown, first?

Source: Petsiuk, Das, Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models", section 4.
"""

import math
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from core.explanation.evaluations import Baseline, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import ExplainerChoice, Subject
from core.explanation.segments import grid
from core.explanation.text_players import Words, words_of
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch

IMAGE_STEPS = 28
"""Steps from nothing hidden to all hidden; inputs of fewer parts take one step per part."""
RANDOM_ORDERS = 20
"""Their reverses count too, at no cost: 40 gaps, of which one or none reaches what is better than 95 % of chance."""
ENUMERATED = 4
"""Up to so many parts all orders are tried."""
PATCHES = 49
"""Maps of pixels are judged by their means over patches of a 7 × 7 grid: pixels that are hidden one here and one there hide no
shape, and look like nothing that the model has seen."""


@dataclass(frozen=True, slots=True)
class Curves:
    """As the fields of the same names in `Trust`."""

    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    gap: float
    random_gaps: np.ndarray
    chance: float
    n_parts: int


def faithfulness(found: Attribution, evaluations: Evaluations, fill: "torch.Tensor | Words", seed: int) -> Curves:
    """The curves of an explanation beside those of random orders of the same parts.

    Parts are patches of pixels (in all channels), features, or words. Hidden ones take the values of `fill` (1, *input_shape);
    words are hidden as `fill` does it.
    """
    subject, rng = evaluations.subject, np.random.default_rng([seed, 1])
    places, parts = random_parts(subject, found)
    n_steps = min(IMAGE_STEPS, len(places))
    own = _both_curves(evaluations, fill, places[explained_order(found, places, parts, rng)], n_steps)
    orders = _random_orders(parts, rng)
    random = np.stack([_both_curves(evaluations, fill, places[order], n_steps) for order in orders])
    shares = np.arange(n_steps + 1) / n_steps
    areas = np.trapezoid(np.concatenate([own[None], random]), shares)  # (1 + n, 2)
    differences = areas[:, 1] - areas[:, 0]
    # The reverse of an order swaps the two curves, so that its gap is the same with the other sign.
    gap, gaps = float(differences[0]), np.concatenate([differences[1:], -differences[1:]])
    n_parts = int(parts.max()) + 1
    return Curves(shares, own[0], own[1], random[:, 0], random[:, 1], gap, gaps, _chance(gap, gaps, n_parts), n_parts)


def n_curve_evaluations(n_places: int, n_parts: int) -> int:
    """How many evaluations `faithfulness` takes."""
    n_orders = math.factorial(n_parts) // 2 if 1 < n_parts <= ENUMERATED else RANDOM_ORDERS
    return 2 * (min(IMAGE_STEPS, n_places) + 1) * (n_orders + 1)


def random_parts(subject: Subject, found: Attribution) -> tuple[np.ndarray, np.ndarray]:
    """What can be hidden: its places in the flat input (P,), and the part of each, from 0, that is hidden as one."""
    if subject.x.ndim == 4:
        shape = tuple(subject.x.shape[2:])
        parts = grid(shape, PATCHES) if found.segments is None else found.segments
        return np.arange(parts.size), parts.ravel().astype(np.int64)
    is_there = [bool(token) for token in subject.tokens] if subject.tokens else [True] * subject.x.shape[1]
    places = np.flatnonzero(is_there)
    return places, np.arange(len(places))


def explained_order(found: Attribution, places: np.ndarray, parts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Indices of `places` (P,), the most important part first: by the mean of what speaks for the answer, then of all values.

    A part with one value for all is ranked by that. Pixels of one shape speak for a class and against it, side by side, and
    would cancel each other, though hiding the shape hides both. Among equals chance decides.
    """
    values = np.asarray(found.values, np.float64).ravel()[places]
    sizes = np.maximum(1, np.bincount(parts))
    means, positive = (np.bincount(parts, one) / sizes for one in (values, np.maximum(values, 0)))
    return _places_in(np.lexsort((rng.random(len(means)), -means, -positive)), parts, rng)


def hidden(x: "torch.Tensor", fill: "torch.Tensor | Words", is_hidden: np.ndarray) -> "torch.Tensor":
    """Copies of an input (1, *input_shape) with `fill` where hidden, (N, P) -> (N, *input_shape); P pixels, or all places."""
    import torch

    if isinstance(fill, Words):
        return fill.masked(~is_hidden[:, fill.places])
    mask = torch.from_numpy(is_hidden)
    mask = mask.reshape(len(mask), 1, *x.shape[2:]) if x.ndim == 4 else mask.reshape(len(mask), *x.shape[1:])
    return torch.where(mask, fill, x)


def fill_of(subject: Subject, method: ExplainerChoice) -> "tuple[torch.Tensor | Words, str]":
    """What hides a part, (1, *input_shape), as the method itself hides it, and that in words.

    Words are left out, unless the method puts the token for an unknown word in their place: a way that starts at the vectors
    of padding hides no word in a text, and is judged by leaving out too.
    """
    import torch

    if subject.x.dtype == torch.int64:
        is_unknown = getattr(method, "hidden", "removed") == "unknown"
        words = words_of(subject, "unknown" if is_unknown else "removed")
        return words, "the token for an unknown word" if is_unknown else "left out, and the others move together"
    baseline: Baseline = getattr(method, "baseline", "mean")
    return baseline_input(subject, baseline), baseline_text(subject, baseline)


def _both_curves(evaluations: Evaluations, fill: "torch.Tensor | Words", order: np.ndarray, n_steps: int) -> np.ndarray:
    """The output while the places in `order` are hidden, and while they are shown, (2, n_steps + 1) float64."""
    x = evaluations.subject.x
    n_places = x[0, 0].numel() if x.ndim == 4 else x.shape[1]
    rank = np.full(n_places, -1)
    rank[order] = np.arange(len(order))
    counts = np.rint(np.linspace(0, len(order), n_steps + 1))[:, None]
    deleted = (rank >= 0) & (rank < counts)  # (n_steps + 1, P)
    missing = (rank >= 0) & (rank >= counts)
    return evaluations.logits(hidden(x, fill, np.concatenate([deleted, missing]))).reshape(2, -1)


def _random_orders(parts: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Random orders of places, whole parts at a time: half of all there are for few parts, since reverses come for nothing."""
    n_parts = int(parts.max()) + 1
    if 1 < n_parts <= ENUMERATED:
        orders = [np.array(order) for order in permutations(range(n_parts)) if order[0] < order[-1]]
    else:
        orders = [rng.permutation(n_parts) for _ in range(RANDOM_ORDERS)]
    return [_places_in(order, parts, rng) for order in orders]


def _places_in(order: np.ndarray, parts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Places (P,) in an order of their parts (M,), within a part at random."""
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return np.lexsort((rng.random(len(parts)), rank[parts]))


def _chance(gap: float, gaps: np.ndarray, n_parts: int) -> float:
    """The share of random orders that do as well; where not all were tried, the explanation's own counts as one of them."""
    slack = 1e-9 * max(1.0, float(np.abs(gaps).max()))
    reached = int((gaps >= gap - slack).sum())
    return reached / len(gaps) if n_parts <= ENUMERATED else (reached + 1) / (len(gaps) + 1)
