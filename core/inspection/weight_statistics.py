"""Histograms that grow with what they count: a row per moment, over bins that all moments share."""

import math

import numpy as np

N_BINS = 512
"""Bins between -2^e and 2^e; their width is a power of two, so that doubling the range merges pairs exactly."""
SMALLEST = -40
"""The range is at least 2 to this power."""
MIN_ROWS, MAX_ROWS = 12, 64
"""Bins that are left for a reader, at most: the fewer values there are, the fewer bins."""
MAX_VALUES = 1 << 17
"""Values that are counted at once, at most."""
POWERS = np.arange(-60, 61)
"""Half octaves: bins of equal width in the logarithm, from 2^-30 to 2^30."""
SIZES = 2.0 ** (POWERS / 2)
LOG_EDGES = np.concatenate([-SIZES[::-1], SIZES])
HIDDEN = 0.01
"""Share of the values other than 0 that the middle bin of a logarithmic histogram may swallow."""


class ValueHistory:
    """Counts of values at one moment after the other. Values that are not finite are left out."""

    def __init__(self) -> None:
        self._power = SMALLEST
        self._rows: list[np.ndarray] = []
        self._log_rows: list[np.ndarray] = []
        self._n_zeros = 0
        self.is_sampled = False

    def moment(self) -> None:
        """What is added from now on is of the next moment."""
        self._rows.append(np.zeros(N_BINS, np.int64))
        self._log_rows.append(np.zeros(len(LOG_EDGES) - 1, np.int64))

    def add(self, values: np.ndarray, at_most: int = MAX_VALUES) -> None:
        """Count some values; of very many those that are evenly spread."""
        every = -(-values.size // at_most)
        self.is_sampled = self.is_sampled or every > 1
        flat = values.ravel()[::every].astype(np.float64)
        flat = flat[np.isfinite(flat)]
        if not flat.size:
            return
        if np.any(flat):
            self._reach(float(np.abs(flat).max()))
        width = 2.0 ** (self._power + 1) / N_BINS
        places = np.floor(flat / width).astype(np.int64) + N_BINS // 2
        self._rows[-1] += np.bincount(places, minlength=N_BINS)
        inside = np.clip(flat, LOG_EDGES[0], np.nextafter(LOG_EDGES[-1], 0))
        places = np.searchsorted(LOG_EDGES, inside, side="right") - 1
        self._log_rows[-1] += np.bincount(places, minlength=len(LOG_EDGES) - 1)
        self._n_zeros += int(np.count_nonzero(flat == 0))

    def _reach(self, largest: float) -> None:
        """Double the range until `largest` lies inside of it."""
        wanted = math.frexp(largest)[1]  # 2^(wanted - 1) <= largest < 2^wanted
        while self._power < wanted:
            self._power += 1
            for row in self._rows:
                pairs = row.reshape(-1, 2).sum(1)
                row[:] = 0
                row[N_BINS // 4 : 3 * N_BINS // 4] = pairs

    def even(self) -> tuple[np.ndarray, np.ndarray]:
        """Edges (B + 1,) of bins of one width, and counts (K, B): no bins beyond the values, and about twice the square root
        of their number at most."""
        counts = np.stack(self._rows)
        most = int(np.clip(2 * np.sqrt(counts.sum(1).max()), MIN_ROWS, MAX_ROWS))
        low, high = _occupied(counts)
        size = 1
        while -(-high // size) - low // size > most:
            size *= 2
        low, high = low // size * size, -(-high // size) * size
        width = 2.0 ** (self._power + 1) / N_BINS
        edges = (np.arange(low, high + 1, size) - N_BINS // 2) * width
        return edges, counts[:, low:high].reshape(len(counts), -1, size).sum(2)

    def logarithmic(self) -> tuple[np.ndarray, np.ndarray]:
        """Edges and counts of bins of one width in the logarithm of size, with one around 0 for all that is tiny."""
        counts = np.stack(self._log_rows)
        total = counts.sum(0)
        sides = total[: len(POWERS) - 1][::-1] + total[len(POWERS) :]  # by size, from the smallest
        smaller = total[len(POWERS) - 1] - self._n_zeros + np.cumsum(sides)
        n_other = int(total.sum()) - self._n_zeros
        swallowed = int(np.searchsorted(smaller, HIDDEN * n_other, side="right")) if n_other else 0
        middle = len(POWERS) - 1
        first, last = middle - swallowed, middle + swallowed + 1
        inner = counts[:, first:last].sum(1, keepdims=True)
        merged = np.concatenate([counts[:, :first], inner, counts[:, last:]], 1)
        edges = np.concatenate([LOG_EDGES[: first + 1], LOG_EDGES[last:]])
        low, high = _occupied(merged)
        return edges[low : high + 1], merged[:, low:high]


def _occupied(counts: np.ndarray) -> tuple[int, int]:
    """The first bin in which anything ever is, and the one after the last; around zero where there is nothing."""
    used = np.flatnonzero(counts.sum(0))
    return (int(used[0]), int(used[-1]) + 1) if used.size else (counts.shape[1] // 2, counts.shape[1] // 2 + 1)
