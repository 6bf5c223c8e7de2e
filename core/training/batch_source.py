"""The batches of a run as a function of (repeat, step): lanes that join later, forked processes and resumed runs all see the
same ones."""

import math

import torch

from core.data.augment import Augmenter
from core.data.dataset import Splits
from core.experiment.experiment import Experiment
from core.seeds import stream_seed
from core.training.batches import ResidentData, epoch_order
from core.training.executors.executor import Batch


class RunBatches:
    """A BatchSource over the resident training split; augmented where the experiment says so."""

    def __init__(self, experiment: Experiment, splits: Splits, data: ResidentData) -> None:
        self.data = data
        self.size = experiment.batch(len(data))
        self.steps_per_epoch = math.ceil(len(data) / self.size)
        self._seed = experiment.seed
        self._is_augmented = bool(experiment.augmentation)
        self._augmenter = Augmenter(experiment.augmentation, splits.profile, splits.brightest)
        self._orders: dict[int, tuple[int, torch.Tensor]] = {}
        self._last: dict[int, tuple[int, Batch]] = {}
        self._whole: Batch | None = None

    def epoch_of(self, number: int) -> int:
        """The epoch of a step, both from 1."""
        return (number - 1) // self.steps_per_epoch + 1

    def indices(self, repeat: int, number: int) -> torch.Tensor:
        """Which training examples the step `number` of a repeat takes, (B,) int64 on the device."""
        epoch = self.epoch_of(number)
        known = self._orders.get(repeat)
        if known is None or known[0] != epoch:
            order = epoch_order(len(self.data), self._seed, epoch, repeat).to(self.data.x.device)
            known = self._orders[repeat] = (epoch, order)
        start = ((number - 1) % self.steps_per_epoch) * self.size
        return known[1][start : start + self.size]

    def batch(self, repeat: int, number: int) -> Batch:
        """As in BatchSource."""
        last = self._last.get(repeat)
        if last is not None and last[0] == number:
            return last[1]
        made = self._made(repeat, number)
        self._last[repeat] = (number, made)
        return made

    def _made(self, repeat: int, number: int) -> Batch:
        """The random numbers of augmentation are a function of seed, repeat and step (the step before it, from 0)."""
        indices = self.indices(repeat, number)
        if not self._is_augmented:
            return self.data.batch(indices)
        x, y = self.data.raw_batch(indices)
        seed = (stream_seed(self._seed, "augment", repeat) + number - 1) % 2**63
        return self._augmenter.mixed(self.data.scaled(self._augmenter.pictures(x, seed)), y, seed)

    def whole(self) -> Batch:
        """As in BatchSource; without augmentation."""
        if self._whole is None:
            self._whole = (self.data.scaled(self.data.x), self.data.y)
        return self._whole
