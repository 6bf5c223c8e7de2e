"""Batch losses of many series in bounded memory: means over more and more steps in a row."""

from collections.abc import Sequence

import numpy as np

MOST = 2048
"""Points per series; with more, every two neighbours become one."""
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


class ThinLosses:
    """`means(series)[i]` is the mean batch loss of steps `i * stride + 1` to `(i + 1) * stride`; at first `stride` is 1."""

    def __init__(self) -> None:
        self.stride = 1
        self.n_steps = 0
        self.last: Floats = np.zeros(0)
        """The newest loss of each series."""
        self._sums = np.zeros((0, MOST))
        self._seconds = np.zeros(MOST)

    def widen(self, n_series: int, source: Sequence[int] | None = None) -> None:
        """Room for `n_series`. The past of the new ones is that of `source`, or waits to be told by `fill`."""
        n_new = n_series - len(self._sums)
        if n_new > 0:
            past = self._sums[list(source)] if source else np.zeros((n_new, MOST))
            last = self.last[list(source)] if source else np.full(n_new, np.nan)
            self._sums, self.last = np.concatenate([self._sums, past]), np.concatenate([self.last, last])

    def append(self, first_step: int, losses: Sequence[Sequence[float]], before_s: float, after_s: float) -> None:
        """Steps in a row, evenly spread between two times. Those that are known already were replayed bit for bit."""
        told = np.array(losses, np.float64)[:, max(0, self.n_steps - first_step + 1) :]
        n = told.shape[1]
        if not n:
            return
        while self.n_steps + n > MOST * self.stride:
            self._halve()
        self._add(slice(0, len(told)), self.n_steps, told)
        self._sums[len(told) :, self._places(self.n_steps, n)] = np.nan
        self._seconds[self._places(self.n_steps, n)] = before_s + (after_s - before_s) * np.arange(1, n + 1) / n
        self.last[:] = np.nan
        self.last[: len(told)] = told[:, -1]
        self.n_steps += n

    def fill(self, series: range, first_step: int, losses: Sequence[Sequence[float]]) -> None:
        """What a lane that joined late did before."""
        told = np.array(losses, np.float64)[:, : max(0, self.n_steps - first_step + 1)]
        self._add(slice(series.start, series.stop), first_step - 1, told)

    def means(self, series: Sequence[int]) -> Floats:
        """(series, points)."""
        n = self._n_points()
        counts = np.full(n, float(self.stride))
        if n:
            counts[-1] = self.n_steps - (n - 1) * self.stride
        means: Floats = self._sums[list(series), :n] / counts
        return means

    def steps(self) -> Floats:
        """The last step of each point."""
        last: Floats = np.minimum(np.arange(1, self._n_points() + 1) * float(self.stride), self.n_steps)
        return last

    def seconds(self) -> Floats:
        """Training time at the last step of each point."""
        told: Floats = self._seconds[: self._n_points()]
        return told

    def _n_points(self) -> int:
        return -(-self.n_steps // self.stride)

    def _places(self, start: int, n: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
        return np.arange(start, start + n, dtype=np.int64) // self.stride

    def _add(self, rows: slice, start: int, told: Floats) -> None:
        places = self._places(start, told.shape[1])
        with np.errstate(invalid="ignore", over="ignore"):
            np.add.at(self._sums[rows].T, places, told.T)

    def _halve(self) -> None:
        with np.errstate(invalid="ignore", over="ignore"):
            pairs = self._sums[:, 0::2] + self._sums[:, 1::2]
        self._sums = np.concatenate([pairs, np.zeros_like(pairs)], axis=1)
        later = np.maximum(self._seconds[0::2], self._seconds[1::2])
        self._seconds = np.concatenate([later, np.zeros_like(later)])
        self.stride *= 2
