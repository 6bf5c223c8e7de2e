"""Where a recorded step finds its batches: at fixed places in the device's memory, filled before each replay."""

from typing import Protocol

import torch

from core.training.batch_source import RunBatches
from core.training.executors.executor import Batch, BatchSource


class Feed(Protocol):
    """Batches of some steps in a row of one repeat."""

    most: int
    """How many steps can be made ready at once."""

    def fits(self, first: int, n: int) -> bool:
        """Whether the batches of these steps have the recorded shape and can be made ready together."""

    def fill(self, first: int, n: int) -> None:
        """Make ready for the steps from `first` on, without waiting for the device."""

    def batch(self, place: int) -> Batch:
        """What the step at this place among those takes: operations that can be recorded."""


class IndexFeed:
    """Numbers of examples; the recorded step itself takes them out of the resident split and scales them."""

    def __init__(self, source: RunBatches, repeat: int, most: int) -> None:
        self._source, self._repeat, self.most = source, repeat, most
        self._chosen = torch.zeros(most, source.size, dtype=torch.int64, device=source.data.x.device)

    def fits(self, first: int, n: int) -> bool:
        last = first + n - 1
        is_one_epoch = self._source.epoch_of(first) == self._source.epoch_of(last)
        return is_one_epoch and len(self._source.indices(self._repeat, last)) == self._source.size

    def fill(self, first: int, n: int) -> None:
        rows = [self._source.indices(self._repeat, number) for number in range(first, first + n)]
        torch.stack(rows, out=self._chosen[:n])

    def batch(self, place: int) -> Batch:
        return self._source.data.batch(self._chosen[place])


class BatchFeed:
    """One batch of any source, copied: for augmented pictures."""

    most = 1

    def __init__(self, source: BatchSource, repeat: int, number: int) -> None:
        self._source, self._repeat = source, repeat
        x, y = source.batch(repeat, number)
        self._x, self._y = x.clone(), y.clone()

    def fits(self, first: int, n: int) -> bool:
        x, y = self._source.batch(self._repeat, first)
        return x.shape == self._x.shape and y.shape == self._y.shape and y.dtype == self._y.dtype

    def fill(self, first: int, n: int) -> None:
        x, y = self._source.batch(self._repeat, first)
        self._x.copy_(x)
        self._y.copy_(y)

    def batch(self, place: int) -> Batch:
        return self._x, self._y


class WholeFeed:
    """The whole training split in every step."""

    def __init__(self, source: BatchSource, most: int) -> None:
        self._batch, self.most = source.whole(), most

    def fits(self, first: int, n: int) -> bool:
        return True

    def fill(self, first: int, n: int) -> None:
        """It is there."""

    def batch(self, place: int) -> Batch:
        return self._batch
