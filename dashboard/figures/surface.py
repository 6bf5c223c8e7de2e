"""How high a loss is drawn: contour levels for a surface, spaced by powers of ten where its values span decades."""

from dataclasses import dataclass

import numpy as np

SPAN = 40.0
"""Times as large: above this, levels are spaced by powers of ten."""
MOST = 14
"""Contours in view."""
PATTERNS: tuple[tuple[float, ...], ...] = ((1, 2, 5), (1, 3), (1,))
"""Round numbers within a decade, from many to few."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From losses above the least one to heights: level k lies at height k + 1, and what is between grows evenly."""

    levels: np.ndarray
    is_log: bool

    def heights(self, losses: np.ndarray) -> np.ndarray:
        """Heights of losses of any shape, float64; at most one contour above the highest. NaN stays NaN."""
        levels = self.levels
        at = np.arange(1, len(levels) + 1, dtype=float)
        if not self.is_log:
            step = levels[1] - levels[0]
            return np.clip((losses - levels[0]) / step + 1, 0, len(levels) + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = np.interp(np.log(losses), np.log(levels), at)
        above = np.clip(np.log(np.maximum(losses, levels[-1]) / levels[-1]) / np.log(levels[-1] / levels[-2]), 0, 1)
        return np.where(losses < levels[0], np.maximum(losses, 0) / levels[0], inside + above)


def scale_of(losses: np.ndarray) -> Scale:
    """Levels for the losses in view, (side, side) and at least 0: about ten round numbers between their ends."""
    low, high = np.quantile(losses, 0.01), float(losses.max())
    if high <= 0:
        return Scale(np.array([1.0, 2.0]), False)
    low = max(float(low), 1e-6 * high)
    if high / low > SPAN:
        return Scale(_decades(low, high), True)
    return Scale(_even(float(losses.min()), high), False)


def _decades(low: float, high: float) -> np.ndarray:
    """Round numbers by powers of ten from `low` to `high`; the pattern that gives the most, but not too many."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    levels: list[float] = []
    for pattern in PATTERNS:
        levels = [part * 10.0**power for power in powers for part in pattern if low <= part * 10.0**power < high]
        if len(levels) <= MOST:
            break
    return np.array(levels)


def _even(low: float, high: float) -> np.ndarray:
    """Multiples of a round number between `low` and `high`, at least two."""
    rough = (high - low) / (MOST - 2) or high
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(part * power for part in (1, 2, 5, 10) if part * power >= rough * (1 - 1e-9))
    first = np.ceil(low / step + 1e-9)
    return step * np.arange(first, max(first + 2, np.ceil(high / step)))
