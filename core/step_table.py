"""Numbers of a run by step and series, in rows that come one by one."""

from collections.abc import Mapping, Sequence

import numpy as np

FIRST_ROWS = 64


class StepTable:
    """Rows that rise with the step; `table[name]` is (rows, series), float32, NaN where nothing was measured."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self._n = 0
        self._steps = np.zeros(FIRST_ROWS, np.int64)
        self._values = np.zeros((len(names), FIRST_ROWS, 0), np.float32)  # (names, rows, series)

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, name: str) -> np.ndarray:
        return self._values[self.names.index(name), : self._n]

    @property
    def steps(self) -> np.ndarray:
        """The step of each row, int64."""
        return self._steps[: self._n]

    @property
    def n_series(self) -> int:
        return self._values.shape[2]

    def append(self, step: int, values: Mapping[str, Sequence[float]]) -> None:
        """One more row. Series that are not told (yet) are NaN; more of them than before are NaN in the past.

        Raises:
            ValueError: `step` does not lie behind the last row's.
        """
        if self._n and step <= self._steps[self._n - 1]:
            raise ValueError(f"Step {step} does not come after step {self._steps[self._n - 1]}.")
        self.widen(max(len(row) for row in values.values()))
        if self._n == len(self._steps):
            self._steps = np.concatenate([self._steps, np.zeros_like(self._steps)])
            self._values = np.concatenate([self._values, np.zeros_like(self._values)], axis=1)
        self._steps[self._n] = step
        self._values[:, self._n] = np.nan
        for k, name in enumerate(self.names):
            row = values[name]
            self._values[k, self._n, : len(row)] = row
        self._n += 1

    def widen(self, n_series: int, source: range | None = None) -> None:
        """Make room for `n_series`: the past of the new ones is that of the series in `source`, or NaN."""
        n_new = n_series - self.n_series
        if n_new <= 0:
            return
        past = np.full((*self._values.shape[:2], n_new), np.nan, np.float32)
        if source is not None and self._n:
            past[:] = self._values[:, :, source.start : source.stop]
        self._values = np.concatenate([self._values, past], axis=2)

    def cut(self, step: int) -> None:
        """Forget the rows after `step`."""
        self._n = int(np.searchsorted(self.steps, step, side="right"))

    def after(self, step: int) -> int:
        """Number of the first row behind `step`."""
        return int(np.searchsorted(self.steps, step, side="right"))
