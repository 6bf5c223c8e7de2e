"""Learning-rate schedules: what the learning rate is multiplied with at each step. Torch-free, a function of the step alone.

Those that drop at once count epochs, those that glide count steps. Only `Plateau` looks at how training goes: its factor
comes from the validation losses so far (`plateau_factor`).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from core.spec import Choice, on_menu

STAND_IN_EPOCHS = 100
"""A run that ends by the clock has no known number of steps: schedules that glide to an end take it to have so many epochs,
and keep their last rate from there on."""
Gamma = Annotated[float, Field(ge=1e-6, le=1)]
Epochs = Annotated[int, Field(ge=1, le=100_000)]
Least = Annotated[float, Field(ge=0, le=1, title="minimum")]


@dataclass(frozen=True, slots=True)
class Clock:
    """How long a run is, as far as is known: what schedules that end somewhere are stretched over."""

    steps_per_epoch: int
    total_steps: int | None

    @property
    def length(self) -> int:
        """Steps that a schedule is stretched over: all, or those of STAND_IN_EPOCHS where a run ends by the clock."""
        return self.total_steps or STAND_IN_EPOCHS * self.steps_per_epoch


def clock_of(n_train: int, batch: int, epochs: int | None, steps: int | None) -> Clock:
    """The clock of a run over `n_train` examples that ends at the first of these limits; None for no such limit."""
    steps_per_epoch = math.ceil(n_train / batch)
    ends = [end for end in (steps, epochs and epochs * steps_per_epoch) if end]
    return Clock(steps_per_epoch, min(ends) if ends else None)


class ScheduleChoice(Choice):
    """A schedule. `step` counts finished steps: 0 for the first one."""

    def factor(self, step: int, clock: Clock) -> float:
        """What the base learning rate is multiplied with in this step."""
        raise TypeError(f"{type(self).__name__} must say its factor")


class Constant(ScheduleChoice):
    """The same learning rate from the first step to the last."""

    kind: Literal["constant"] = "constant"
    label = "Constant"

    def factor(self, step: int, clock: Clock) -> float:
        """Always 1."""
        return 1.0


class StepDecay(ScheduleChoice):
    """Multiplies the learning rate by the same number every so many epochs."""

    kind: Literal["step"] = "step"
    label = "Step"
    source = "Ge et al. 2019"
    every: Annotated[Epochs, Field(title="step size")] = 10
    """Epochs between two drops."""
    gamma: Gamma = 0.1
    """What each drop multiplies with."""

    def factor(self, step: int, clock: Clock) -> float:
        """gamma to the power of drops so far."""
        return float(self.gamma ** (step // clock.steps_per_epoch // self.every))


class MultiStep(ScheduleChoice):
    """Multiplies the learning rate by the same number at the epochs that you name."""

    kind: Literal["multi_step"] = "multi_step"
    label = "Multi-step"
    source = "He et al. 2016, section 4.2"
    milestones: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}( *, *[1-9][0-9]{0,5}){0,19}$", max_length=180)] = "30, 60, 80"
    """Epochs after which the rate drops, with commas between them."""
    gamma: Gamma = 0.1
    """What each drop multiplies with."""

    def factor(self, step: int, clock: Clock) -> float:
        """gamma to the power of milestones that are behind."""
        return float(self.gamma ** bisect_right(_numbers(self.milestones), step // clock.steps_per_epoch))


class Exponential(ScheduleChoice):
    """Multiplies the learning rate by the same number after every epoch."""

    kind: Literal["exponential"] = "exponential"
    label = "Exponential"
    gamma: Gamma = 0.95
    """What each epoch multiplies with."""

    def factor(self, step: int, clock: Clock) -> float:
        """gamma to the power of finished epochs."""
        return float(self.gamma ** (step // clock.steps_per_epoch))


class Polynomial(ScheduleChoice):
    """Goes down to zero over the whole run: in a straight line with power 1, along a bow with more."""

    kind: Literal["polynomial"] = "polynomial"
    label = "Polynomial"
    source = "Chen et al. 2018 (DeepLab), section 4.1"
    power: Annotated[float, Field(ge=0.1, le=10)] = 1.0
    """Shape of the way down: 1 is a straight line, above 1 it falls early."""

    def factor(self, step: int, clock: Clock) -> float:
        """The share of the run that is left, to the power."""
        return float((1 - _share(step, clock.length)) ** self.power)


class Cosine(ScheduleChoice):
    """Goes down over the whole run along half a cosine: slowly at first, fast in the middle, slowly at the end."""

    kind: Literal["cosine"] = "cosine"
    label = "Cosine"
    source = "Loshchilov & Hutter 2017 (SGDR), equation 5"
    least: Least = 0.0
    """Where it ends, as a share of the base learning rate."""

    def factor(self, step: int, clock: Clock) -> float:
        """From 1 to the minimum."""
        return _half_cosine(1.0, self.least, _share(step, clock.length))


class CosineRestarts(ScheduleChoice):
    """Half a cosine down, then back to the full rate at once, again and again; the periods can grow."""

    kind: Literal["cosine_restarts"] = "cosine_restarts"
    label = "Cosine with warm restarts"
    source = "Loshchilov & Hutter 2017 (SGDR), section 3"
    period: Annotated[Epochs, Field(title="first period")] = 10
    """Epochs until the first restart."""
    growth: Annotated[int, Field(ge=1, le=10, title="period factor")] = 2
    """How many times as long each period is as the one before it."""
    least: Least = 0.0
    """Where each period ends, as a share of the base learning rate."""

    def factor(self, step: int, clock: Clock) -> float:
        """From 1 to the minimum within each period."""
        length = self.period * clock.steps_per_epoch
        if self.growth == 1:
            step %= length
        while step >= length:
            step, length = step - length, length * self.growth
        return _half_cosine(1.0, self.least, step / length)


class WarmUp(ScheduleChoice):
    """Rises in a straight line over the first steps, while the optimizer's averages are rough; then holds or glides down."""

    kind: Literal["warmup"] = "warmup"
    label = "Warm-up"
    source = "Goyal et al. 2017, section 2.2"
    steps: Annotated[int, Field(ge=1, le=1_000_000, title="warm-up steps")] = 100
    """Steps until the full learning rate is reached."""
    start: Annotated[float, Field(ge=1e-6, le=1, title="first factor", json_schema_extra={"scale": "log"})] = 0.01
    """What the first step multiplies with."""
    then: Literal["constant", "cosine"] = "constant"
    """What follows: the full rate, or half a cosine down to zero over the rest of the run."""

    def factor(self, step: int, clock: Clock) -> float:
        """From the first factor to 1, then 1 or down to 0."""
        if step < self.steps:
            return self.start + (1 - self.start) * step / self.steps
        if self.then == "constant":
            return 1.0
        return _half_cosine(1.0, 0.0, _share(step - self.steps, clock.length - self.steps))


class OneCycle(ScheduleChoice):
    """Up from a small rate to the base rate and down to almost none, each along half a cosine, once over the whole run.

    Only the learning rate cycles: momentum stays as it is, unlike in the paper.
    """

    kind: Literal["one_cycle"] = "one_cycle"
    label = "One cycle"
    source = "Smith & Topin 2019, section 3"
    rising: Annotated[float, Field(ge=0.01, le=0.99, title="rising share")] = 0.3
    """Share of the run in which the rate rises."""
    divisor: Annotated[float, Field(ge=1, le=1e4, title="initial divisor", json_schema_extra={"scale": "log"})] = 25.0
    """The first rate is the base rate divided by this."""
    final_divisor: Annotated[float, Field(ge=1, le=1e8, json_schema_extra={"scale": "log"})] = 1e4
    """The last rate is the first one divided by this."""

    def factor(self, step: int, clock: Clock) -> float:
        """From 1 / divisor to 1, and down to 1 / (divisor * final_divisor) in the last step."""
        top, end = self.rising * clock.length - 1, clock.length - 1.0
        first = 1 / self.divisor
        if step <= top:
            return _half_cosine(first, 1.0, _share(step, top))
        return _half_cosine(1.0, first / self.final_divisor, _share(step - top, end - top))


class Plateau(ScheduleChoice):
    """Multiplies the learning rate by the same number when the validation loss has not got better for some epochs."""

    kind: Literal["plateau"] = "plateau"
    label = "Reduce on plateau"
    source = "torch.optim.lr_scheduler.ReduceLROnPlateau; Bengio 2012, section 3.1"
    gamma: Annotated[float, Field(ge=1e-6, le=0.999, title="factor")] = 0.1
    """What each drop multiplies with."""
    patience: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Epochs without a better validation loss that are borne; after one more the rate drops."""
    threshold: Annotated[float, Field(ge=0, le=1, json_schema_extra={"scale": "log"})] = 1e-4
    """Share of the best loss by which a loss must be lower to count as better."""
    cooldown: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Epochs after a drop in which no patience is lost."""
    least: Least = 0.0
    """The rate goes no lower than this share of the base learning rate."""

    def factor(self, step: int, clock: Clock) -> float:
        """Always 1: what it has come to is known only as training goes on (`plateau_factor`)."""
        return 1.0


@dataclass(frozen=True, slots=True)
class PlateauState:
    """What a Plateau has seen: its present factor, the best validation loss, epochs since then, and epochs of cooldown left."""

    factor: float = 1.0
    best: float = math.inf
    n_bad: int = 0
    cooldown: int = 0

    def after(self, loss: float, choice: Plateau) -> Self:
        """The state after one more epoch with this validation loss."""
        is_better = loss < self.best * (1 - choice.threshold)
        cooldown = max(0, self.cooldown - 1)
        n_bad = 0 if is_better or self.cooldown else self.n_bad + 1
        best = loss if is_better else self.best
        if n_bad <= choice.patience:
            return type(self)(self.factor, best, n_bad, cooldown)
        return type(self)(max(self.factor * choice.gamma, choice.least), best, 0, choice.cooldown)


def plateau_factor(choice: Plateau, losses: Sequence[float]) -> float:
    """What a Plateau multiplies the learning rate with after epochs of these validation losses, in order."""
    state = PlateauState()
    for loss in losses:
        state = state.after(loss, choice)
    return state.factor


AnySchedule = Annotated[
    Constant | StepDecay | MultiStep | Exponential | Polynomial | Cosine | CosineRestarts | WarmUp | OneCycle | Plateau,
    on_menu(),
]


def preview(schedule: ScheduleChoice, lr: float, clock: Clock, n_points: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Steps (n,) int64, numbered from 1, spread evenly over the run, and their learning rates (n,) float64.

    A Plateau is shown as if the validation loss always got better.
    """
    finished = np.unique(np.linspace(0, clock.length - 1, min(n_points, clock.length)).astype(np.int64))
    rates = np.array([lr * schedule.factor(int(step), clock) for step in finished])
    return finished + 1, rates


def _share(done: float, whole: float) -> float:
    """The share of a way that is behind, at most 1; all of a way without length."""
    return min(1.0, done / whole) if whole > 0 else 1.0


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


@lru_cache(maxsize=64)
def _numbers(text: str) -> tuple[int, ...]:
    """The whole numbers in a text, in order of size."""
    return tuple(sorted(int(part) for part in text.split(",")))
