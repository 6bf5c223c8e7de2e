"""Optimizers on an analytic surface: the same torch optimizers as in training, on two weights, in float64, from one start."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch

from core.errors import SpecError
from core.experiment.lane import Lane
from core.optim.optimizers import Muon
from core.optim.penalties import after_step, before_step
from core.optim.regularizers import MaxNorm, RegularizerChoice, WeightAverage
from core.optim.schedules import Clock, Plateau, PlateauState
from core.optim.surfaces import TRIED_RATES, SurfaceTask
from core.results.surface_path import SurfacePaths
from core.seeds import numpy_stream
from core.training.executors.reference import set_rate
from core.types import Report

FAR = 25.0
"""A lane that is so many half windows away from the middle of the window has left the surface."""
ARRIVED = 1e-10
"""A lane whose loss is so little above the least one has reached a minimum."""
FIRST_MOMENTS = ("exp_avg", "momentum_buffer")
"""What torch calls a running mean or sum of gradients in an optimizer's state."""


def surface_race(task: SurfaceTask, lanes: Sequence[Lane], report: Report | None = None) -> SurfacePaths:
    """The paths of all lanes.

    Args:
        report: told after each lane how many steps are done of all.
    """
    runners = []
    for k, lane in enumerate(lanes):
        runners.append(LaneOnSurface(task, tuned(task.usual(), lane) if task.rates == "tuned" else lane))
        runners[-1].race()
        if report is not None:
            report((k + 1) * task.n_steps, len(lanes) * task.n_steps)
    return SurfacePaths(
        labels=tuple(runner.lane.label for runner in runners),
        start=task.start,
        positions=np.stack([runner.positions for runner in runners]),
        values=np.stack([runner.values for runner in runners]),
        gradients=np.stack([runner.gradients for runner in runners]),
        momenta=np.stack([runner.momenta for runner in runners]),
        rates=np.stack([runner.rates for runner in runners]),
        n_evaluations=np.array([runner.n_evaluations for runner in runners], np.int64),
        n_done=np.array([runner.n_done for runner in runners], np.int64),
        notes=tuple(runner.note for runner in runners),
    )


@lru_cache(maxsize=256)
def tuned(task: SurfaceTask, lane: Lane) -> Lane:
    """The lane with that learning rate of TRIED_RATES which ends lowest; of several that reach a minimum, the fastest.

    An equal budget for each lane: every rate is tried once, for all steps of the task.
    """
    best, score = lane, (math.inf, math.inf)
    for rate in TRIED_RATES:
        try:
            tried = LaneOnSurface(task, lane.but(optimizer=lane.optimizer.but(lr=rate)))
        except SpecError:  # out of this optimizer's bounds
            continue
        tried.race()
        if tried.score < score:
            best, score = tried.lane, tried.score
    return best


class LaneOnSurface:
    """One lane on its way. Arrays as in SurfacePaths, without the axis of lanes."""

    def __init__(self, task: SurfaceTask, lane: Lane) -> None:
        n = task.n_steps
        self.task = task
        self.lane = lane
        self.weights = torch.nn.Parameter(torch.tensor(task.start, dtype=torch.float64))
        self.place: np.ndarray = self.weights.detach().numpy()  # the same memory
        self.positions = np.full((n + 1, 2), np.nan)
        self.values = np.full(n + 1, np.nan)
        self.gradients, self.momenta = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
        self.rates = np.full(n, np.nan)
        self.n_evaluations = self.n_done = 0
        self.note = about(lane, has_noise=task.noise > 0)
        self.clock = Clock(steps_per_epoch=math.ceil(n / task.epochs), total_steps=n)
        self._plateau = PlateauState()
        self._tilt = np.zeros(2)
        self._first: np.ndarray | None = None

    @property
    def score(self) -> tuple[float, float]:
        """The less, the better it went: the loss at the end above the least one, then its mean over all steps.

        A lane that left the surface is behind all others, the sooner the worse.
        """
        if self.n_done < self.task.n_steps:
            return math.inf, -self.n_done
        losses = self.values - self.task.surface.lowest
        return max(float(losses[-1]), ARRIVED), float(losses.mean())

    def race(self) -> None:
        """Make all steps, or those until the lane leaves the surface."""
        task = self.task
        self.positions[0] = task.start
        self.values[0] = task.surface.value(*self.place)
        optimizer = self.lane.optimizer.build([self.weights])
        noise = task.noise * numpy_stream(task.seed, "batches").standard_normal((task.n_steps, 2))
        if self.lane.optimizer.needs_whole_split:
            noise[:] = 0
        with np.errstate(over="ignore", invalid="ignore"):
            for k in range(task.n_steps):
                self._tilt = noise[k]
                self._step(optimizer, k)
                if not self._has_arrived(k + 1):
                    break

    def _step(self, optimizer: torch.optim.Optimizer, k: int) -> None:
        """Step k, and what it was made of."""
        rate = self._rate(k)
        set_rate(optimizer, rate)
        self._first = None
        regularizers = self.lane.regularizers
        decays = any(one.moment == "decay" for one in regularizers)
        if decays or not self.lane.optimizer.needs_closure:
            self._differentiate()
            before_step(regularizers, [self.weights], rate)
        if self.lane.optimizer.needs_closure:
            others = tuple(one for one in regularizers if one.moment != "decay")  # decay is once a step, not once a look
            optimizer.step(lambda: self._loss(others))  # type: ignore[arg-type, return-value]
        else:
            optimizer.step()
        if regularizers:
            after_step(regularizers, [self.weights])
        self.rates[k] = rate
        self.gradients[k] = np.nan if self._first is None else self._first
        self.momenta[k] = first_moment(optimizer, self.weights)

    def _rate(self, k: int) -> float:
        """The learning rate of step k; a Plateau looks at the value at the end of each epoch."""
        schedule = self.lane.schedule
        if isinstance(schedule, Plateau) and k and k % self.clock.steps_per_epoch == 0:
            self._plateau = self._plateau.after(float(self.values[k]), schedule)
        return self.lane.optimizer.lr * schedule.factor(k, self.clock) * self._plateau.factor

    def _differentiate(self) -> None:
        """The gradient of this step's batch into `.grad`."""
        gradient = np.array(self.task.surface.gradient(*self.place)) + self._tilt
        self.n_evaluations += 1
        if self._first is None:
            self._first = gradient.copy()
        self.weights.grad = torch.from_numpy(gradient)

    def _loss(self, regularizers: Sequence[RegularizerChoice]) -> torch.Tensor:
        """The loss of this step's batch, with its gradient, for an optimizer that asks for both again and again.

        Noise is a tilt of the surface, the same within a step, so that they belong together.
        """
        self._differentiate()
        before_step(regularizers, [self.weights], 0.0)
        return torch.tensor(self.task.surface.value(*self.place) + self._tilt @ self.place, dtype=torch.float64)

    def _has_arrived(self, k: int) -> bool:
        """Take in the position after k steps; False where it is too far away to go on."""
        surface, (x, y) = self.task.surface, self.place
        reach = FAR * surface.half
        if not (abs(x - surface.centre[0]) <= reach and abs(y - surface.centre[1]) <= reach):  # NaN is not either
            where = ", ".join(f"{at:.3g}" for at in self.place)
            self.note = f"Diverged: step {k} would have gone to ({where}). Try a lower learning rate."
            return False
        self.positions[k] = self.place
        self.values[k] = surface.value(x, y)
        self.n_done = k
        return True


def about(lane: Lane, *, has_noise: bool) -> str:
    """What of a lane is other here than in training."""
    kinds = {type(one) for one in lane.regularizers}
    said = (
        ("There is no matrix here that Muon could turn: this is AdamW.", isinstance(lane.optimizer, Muon)),
        ("It takes the gradient of all examples, which has no noise.", has_noise and lane.optimizer.needs_whole_split),
        ("Max-norm limits the rows of matrices: it does nothing here.", MaxNorm in kinds),
        ("The path is that of the weights, not of their average.", WeightAverage in kinds),
    )
    return " ".join(sentence for sentence, is_so in said if is_so)


def first_moment(optimizer: torch.optim.Optimizer, weights: torch.Tensor) -> np.ndarray:
    """The running mean or sum of gradients that an optimizer keeps for some weights; NaN where it keeps none."""
    state = optimizer.state.get(weights, {})
    found = next((state[name] for name in FIRST_MOMENTS if state.get(name) is not None), None)
    moment: np.ndarray = np.full(weights.shape, np.nan) if found is None else found.detach().double().cpu().numpy()
    return moment.reshape(weights.shape)
