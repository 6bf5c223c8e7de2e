"""What the training doctor knows of one series: its last looks, its curves, and what guessing would give."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from core.experiment.experiment import Experiment
from core.training.executors.executor import Series
from core.training.health_remedies import Maybe, none
from core.training.telemetry import Vitals
from core.types import Severity

MAX_BLOCKS = 64
KEPT_LOOKS = 4
MAX_EPOCHS = 256
MAX_NEW = 4096
"""Losses that are kept as they are until somebody asks: to sum them costs little only where they are many."""
MIN_STEPS = 100
"""Steps before curves are judged, and that a stretch of epochs must span to say something."""
Block = tuple[int, float, float]
"""How many losses, their sum, and the sum of their squares."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule says: words with numbers, and what one click can do."""

    severity: Severity
    message: str
    hint: str
    layer: str = ""
    remedy: Maybe = none


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some batch losses in a row."""

    n: int
    mean: float
    error: float
    """Standard error of the mean, from the spread of the batches."""


class LossCurve:
    """Batch losses in at most 64 blocks of about equal length, so that a run of any length is known with its noise."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._n = 0
        self._new: list[float] = []

    def __len__(self) -> int:
        """Losses in all that are finite."""
        self._fold()
        return self._n

    def add(self, losses: Sequence[float]) -> None:
        """Some more in a row; those that are not finite are left out."""
        self._new.extend(losses)
        if len(self._new) >= MAX_NEW:
            self._fold()

    def _fold(self) -> None:
        """What has come since the last question, into blocks."""
        values = np.array(self._new, dtype=np.float64)
        values, self._new = values[np.isfinite(values)], []
        if not len(values):
            return
        self._n += len(values)
        pieces = min(MAX_BLOCKS, len(values), math.ceil(len(values) * MAX_BLOCKS / self._n))
        for piece in np.array_split(values, pieces):
            self._blocks.append((len(piece), float(piece.sum()), float(piece @ piece)))
        while len(self._blocks) > MAX_BLOCKS:
            pairs = [a[0] + b[0] for a, b in pairwise(self._blocks)]
            at = pairs.index(min(pairs))
            self._blocks[at : at + 2] = [_joined(self._blocks[at : at + 2])]

    def parts(self, n: int) -> list[Stretch]:
        """The curve in `n` stretches of about equal length, the oldest first; fewer while it is short."""
        self._fold()
        groups: list[list[Block]] = [[] for _ in range(n)]
        passed = 0
        for block in self._blocks:
            groups[min(n - 1, int((passed + block[0] / 2) * n / self._n))].append(block)
            passed += block[0]
        return [_stretch(_joined(group)) for group in groups if group]


def _joined(blocks: Sequence[Block]) -> Block:
    return sum(block[0] for block in blocks), sum(block[1] for block in blocks), sum(block[2] for block in blocks)


def _stretch(block: Block) -> Stretch:
    n, total, squares = block
    mean = total / n
    variance = max(0.0, squares / n - mean * mean) * n / max(1, n - 1)
    return Stretch(n, mean, math.sqrt(variance / n))


@dataclass(frozen=True, slots=True)
class Epoch:
    """Figures of one series at the end of an epoch, as in `EpochDone`, and which classes the jury was given."""

    number: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    is_heard: bool = False
    """Whether the jury was asked."""
    unheard: tuple[str, ...] = ()
    """Names of classes that some examples have and none is given."""
    only: str = ""
    """The class that all examples are given."""


@dataclass(slots=True)
class Case:
    """One series."""

    experiment: Experiment
    series: Series
    guess: float
    """The loss of the best answer that does not look at the inputs."""
    majority: float
    """Share of the most frequent class in the training split; NaN for regression."""
    n_validation: int
    steps_per_epoch: int
    looks: list[Vitals] = field(default_factory=list)
    dead_shares: dict[tuple[int, ...], float] = field(default_factory=dict)
    """Of the last look, over the whole jury, where it was worth asking."""
    largest_update: float = 0.0
    """The largest update ratio of any look since the last change by hand."""
    curve: LossCurve = field(default_factory=LossCurve)
    epochs: list[Epoch] = field(default_factory=list)
    """The last ones, and ever fewer of the older ones."""
    judged_epoch: int = 0
    """The last one at which the rules were asked."""
    best: Epoch | None = None
    """The one with the lowest validation loss."""
    open: set[str] = field(default_factory=set)
    """Codes that have been told and are not over."""
    told: set[str] = field(default_factory=set)
    """Codes that have been told since the last change by hand."""

    @property
    def vitals(self) -> Vitals:
        """The last look."""
        return self.looks[-1]

    @property
    def lane(self) -> int:
        return self.series.lane_index

    @property
    def is_classification(self) -> bool:
        return not math.isnan(self.majority)

    @property
    def step(self) -> int:
        return self.looks[-1].step if self.looks else 0

    def forget(self) -> None:
        """A change by hand: what was seen before speaks for another run."""
        self.looks, self.curve, self.largest_update = [], LossCurve(), 0.0
        self.epochs, self.best = [], None
        self.open, self.told = set(), set()

    def take(self, vitals: Vitals) -> None:
        """One more look."""
        self.looks = [*self.looks, vitals][-KEPT_LOOKS:]
        ratios = [layer.update_ratio for layer in vitals.weighted if layer.kind != "Embedding"]
        self.largest_update = max([self.largest_update, *(ratio for ratio in ratios if math.isfinite(ratio))])

    def take_epoch(self, epoch: Epoch) -> None:
        """The figures of one more epoch."""
        self.epochs.append(epoch)
        if self.best is None or epoch.validation_loss < self.best.validation_loss:
            self.best = epoch
        if len(self.epochs) > MAX_EPOCHS:
            half = MAX_EPOCHS // 2
            self.epochs = [*self.epochs[:half:2], *self.epochs[half:]]

    def last_epochs(self, n: int, n_steps: int = MIN_STEPS, *, is_heard: bool = False) -> list[Epoch]:
        """The last epochs (of those in which the jury was asked): at least `n`, and so many that they span `n_steps`; none
        while there are fewer."""
        known = [epoch for epoch in self.epochs if epoch.is_heard or not is_heard]
        reach = max(n, math.ceil(n_steps / self.steps_per_epoch))
        if len(known) < n or known[-1].number - known[0].number + 1 < reach:
            return []
        recent = [epoch for epoch in known if epoch.number > known[-1].number - reach]
        return recent if len(recent) >= n else known[-n:]


def guess_loss(loss: nn.Module, targets: torch.Tensor, n_outputs: int, n_classes: int) -> float:
    """The mean loss of the best constant output over these targets: the entropy of the classes for cross-entropy, the variance
    for squared errors."""
    if n_classes == 0:
        constants = [targets.mean()[None], targets.median()[None]]
    else:
        shares = torch.bincount(targets, minlength=n_classes).float().clamp_min(0.5) / len(targets)
        constants = [(shares[1] / shares[0]).log()[None] if n_outputs == 1 else shares.log()]
    with torch.no_grad():
        return min(float(loss(constant.expand(len(targets), -1), targets).item()) for constant in constants)
