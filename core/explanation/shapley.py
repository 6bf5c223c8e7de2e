"""Shapley values of any game: exact for few players, by KernelSHAP for some more, from antithetic permutations for many."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from core.explanation.randomness import seeded_numpy
from core.seeds import numpy_stream

EXACT_PLAYERS = 12
"""Up to here all 2**M coalitions are tried."""
KERNEL_PLAYERS = 15
"""Up to here the regression of KernelSHAP is nearer to the exact values than permutations are, above they are the steadier."""
ROWS_AT_ONCE = 65_536
"""Rows of a table that a game is asked for in one call."""
COALITIONS_AT_ONCE = 1024

Game = Callable[[np.ndarray], np.ndarray]
"""(N, M) float64 rows -> (N,) float64 outputs."""
Worth = Callable[[np.ndarray], np.ndarray]
"""Coalitions (N, M) bool, True for players that are there -> (N,) float64."""


@dataclass(frozen=True, slots=True)
class Shapley:
    """Shapley values (M,), the output with all players hidden, and of sampled values the standard error (M,); float64."""

    values: np.ndarray
    base: float
    stderr: np.ndarray | None
    is_exact: bool


def shapley_values(game: Game, row: np.ndarray, background: np.ndarray, n_evaluations: int, seed: int) -> Shapley:
    """How the change of `game` from `background` (B, M) to `row` (M,) is shared out among the M players.

    A hidden player takes its value from the rows of the background, one after the other; their mean counts. `n_evaluations`
    is the number of coalitions that may be tried where there are more than 12 players.
    """
    if np.isclose(row, background).all():
        return Shapley(np.zeros(len(row)), float(game(row[None])[0]), None, True)
    at_once = max(1, ROWS_AT_ONCE // len(background))

    def worth(shown: np.ndarray) -> np.ndarray:
        means = []
        for start in range(0, len(shown), at_once):
            part = shown[start : start + at_once]
            rows = np.where(part[:, None, :], row, background[None])  # (N, B, M)
            means.append(game(rows.reshape(-1, len(row))).reshape(len(part), -1).mean(1))
        return np.concatenate(means)

    return shared_out(worth, len(row), n_evaluations, seed)


def shared_out(worth: Worth, n_players: int, n_evaluations: int, seed: int) -> Shapley:
    """The Shapley value of each player, by the method that fits their number; all draw from the seed alone."""
    if n_players <= EXACT_PLAYERS:
        return _exact(worth, n_players)
    if n_players <= KERNEL_PLAYERS:
        return _by_kernel(worth, n_players, n_evaluations, seed)
    return _by_permutations(worth, n_players, n_evaluations, seed)


def n_coalitions(n_players: int, n_evaluations: int) -> int:
    """How many coalitions `shapley_values` tries."""
    if n_players <= EXACT_PLAYERS:
        return int(2**n_players)
    if n_players <= KERNEL_PLAYERS:
        return min(n_evaluations, int(2**n_players) - 2) + 2
    return _n_pairs(n_players, n_evaluations) * 2 * (n_players - 1) + 2


def _exact(worth: Worth, n_players: int) -> Shapley:
    """By all coalitions, with shap."""
    shap = shap_package()
    none, all_there = np.zeros((1, n_players)), np.ones((1, n_players))
    explainer = shap.ExactExplainer(lambda rows: worth(rows > 0.5), shap.maskers.Independent(none))
    found = explainer(all_there, silent=True)
    return Shapley(np.asarray(found.values[0], float), float(np.ravel(found.base_values)[0]), None, True)


def _by_kernel(worth: Worth, n_players: int, n_evaluations: int, seed: int) -> Shapley:
    """By shap's weighted regression on coalitions, without its default penalty, which would leave ten players."""
    shap = shap_package()
    with seeded_numpy(seed):
        explainer = shap.KernelExplainer(lambda rows: worth(rows > 0.5), np.zeros((1, n_players)))
        values = explainer.shap_values(np.ones((1, n_players)), nsamples=n_evaluations, l1_reg=False, silent=True)
    base, full = float(explainer.fnull[0]), float(explainer.fx[0])
    used = explainer.nsamplesAdded
    shown, weights = np.asarray(explainer.maskMatrix)[:used], np.asarray(explainer.kernelWeights)[:used]
    missed = np.asarray(explainer.ey)[:used, 0] - base - shown @ np.ravel(values)
    is_exact = used >= 2**n_players - 2
    stderr = None if is_exact else _sandwich(shown, weights, missed)
    values = np.ravel(values).astype(float)
    return Shapley(values + (full - base - values.sum()) / n_players, base, stderr, is_exact)


def _sandwich(shown: np.ndarray, weights: np.ndarray, missed: np.ndarray) -> np.ndarray:
    """Standard errors (M,) of a weighted regression whose coefficients have a fixed sum.

    Only coalitions that were drawn can differ from draw to draw: those of sizes that were tried in full bring no error. A
    coalition and its complement are drawn together and count as one.

    Source:
        Liang, Zeger 1986, "Longitudinal data analysis using generalized linear models" (errors by clusters).
    """
    n_players = shown.shape[1]
    free = shown[:, :-1] - shown[:, -1:]  # the last coefficient follows from the sum
    sizes = shown.sum(1).astype(int)
    n_tried = np.bincount(sizes, minlength=n_players + 1)
    was_drawn = np.array([n_tried[size] < comb(n_players, int(size)) for size in sizes])
    scores = (weights * missed * was_drawn)[:, None] * free
    bits = shown.astype(np.int64) @ (1 << np.arange(n_players))
    _, pair = np.unique(np.minimum(bits, (1 << n_players) - 1 - bits), return_inverse=True)
    sums = np.zeros((int(pair.max()) + 1, n_players - 1))
    np.add.at(sums, pair, scores)
    bread = np.linalg.pinv(free.T @ (weights[:, None] * free))
    spread = sums @ bread.T  # (pairs, M - 1)
    spread = np.hstack([spread, -spread.sum(1, keepdims=True)])
    n_drawn = max(2, int(np.count_nonzero(np.bincount(pair, weights=was_drawn))))
    errors: np.ndarray = np.sqrt((spread**2).sum(0) * n_drawn / max(1, n_drawn - n_players))
    return errors


def _by_permutations(worth: Worth, n_players: int, n_evaluations: int, seed: int) -> Shapley:
    """From pairs of a random order of the players and its reverse. The pairs are independent, so that their spread gives an
    honest standard error. (shap's PermutationExplainer draws the same pairs, but keeps only their mean.)

    Source:
        Mitchell et al. 2022, "Sampling permutations for Shapley value estimation".
    """
    rng = numpy_stream(seed, "explain")
    ends = np.zeros((2, n_players), bool)
    ends[1] = True
    base, full = (float(one) for one in worth(ends))
    n_pairs = _n_pairs(n_players, n_evaluations)
    at_once = max(1, COALITIONS_AT_ONCE // (2 * n_players))
    parts = []
    for start in range(0, n_pairs, at_once):
        orders = np.stack([rng.permutation(n_players) for _ in range(min(at_once, n_pairs - start))])
        orders = np.stack([orders, orders[:, ::-1]], 1)  # (pairs, 2, M)
        places = orders.argsort(-1)  # of each player
        shown = places[:, :, None, :] < np.arange(1, n_players)[:, None]  # (pairs, 2, M - 1, M)
        along = worth(shown.reshape(-1, n_players)).reshape(*orders.shape[:2], -1)
        along = np.concatenate([np.full((*along.shape[:2], 1), base), along, np.full((*along.shape[:2], 1), full)], 2)
        parts.append(np.take_along_axis(np.diff(along), places, 2).mean(1))
    values = np.concatenate(parts)  # (pairs, M)
    return Shapley(values.mean(0), base, values.std(0, ddof=1) / n_pairs**0.5, False)


def _n_pairs(n_players: int, n_evaluations: int) -> int:
    """At least two: one has no spread."""
    return max(2, n_evaluations // (2 * n_players))


def shap_package() -> Any:
    """The shap package. At our sizes its compiled loops cost seconds to compile and save milliseconds: same values without."""
    os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
    with warnings.catch_warnings():
        # shap builds its colour maps, which we never use, in a way that matplotlib will drop.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap

    return shap
