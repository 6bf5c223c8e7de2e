"""Which moments of a run are kept: the first, every few seconds, the best epoch, each pause, the last."""

import math
import time
from collections.abc import Iterator

from core.events import Artifact, EpochDone
from core.settings import Settings
from core.training.live_run import LiveRun
from core.training.pace import Allowance

FIRST_SAVE_S = 0.5
EARLY_RATIO = 1.6
"""Each early moment is this much later than the one before, in steps: what is learned first is learned fast."""
EARLY_COST_S, EARLY_SHARE = 0.1, 0.03
"""What early moments may cost in all: so many seconds, and so much of the time of training."""
LARGE_BYTES = 16 * 2**20


class Keeper:
    """Makes checkpoints in time, within small shares of the training time. The supervisor thins them out later."""

    def __init__(self, run: LiveRun, settings: Settings) -> None:
        self._run = run
        self._settings = settings
        self._saved_steps = {run.step} if run.step else set()
        own = (one.memory.best if one.memory.best_epoch else math.inf for one in run.series if one.is_alive)
        self._best_loss = mean_or_inf(list(own))  # not what came over from a run that this one was forked from
        self._best: Artifact | None = None
        self._best_copy = Allowance(share=0.01, gap_s=0.0)
        self._memory = Allowance(share=0.003, gap_s=0.25)
        self._saving = Allowance(share=0.01, gap_s=min(settings.checkpoint_s, FIRST_SAVE_S))
        self._next_early = max(1, math.ceil(run.step * EARLY_RATIO))
        self._early_cost_s = self._early_s = 0.0

    def begin(self) -> Iterator[Artifact]:
        """The initial weights."""
        start = time.perf_counter()
        checkpoints = list(self.saved())
        self._early_s = time.perf_counter() - start
        self._saving.spend(time.perf_counter(), 0.0)
        yield from checkpoints

    def is_early_moment(self, n_ahead: int = 0) -> bool:
        """Whether the step `n_ahead` from here is the next of the early moments: even on a logarithmic axis."""
        allowed_s = EARLY_COST_S + EARLY_SHARE * self._run.watch.read()
        return self._run.step + n_ahead >= self._next_early and self._early_cost_s + self._early_s <= allowed_s

    def saved(self) -> Iterator[Artifact]:
        """A checkpoint of this step, and the best one, unless they were kept already."""
        yield from self._kept_best()
        if self._run.step not in self._saved_steps:
            self._saved_steps.add(self._run.step)
            yield self._run.checkpoint()

    def _kept_best(self) -> Iterator[Artifact]:
        """The best epoch; where it is the present step, no other checkpoint of it is needed."""
        best, self._best = self._best, None
        if best is not None:
            self._saved_steps.add(best.step)
            yield best

    def forget(self) -> None:
        """The lanes have changed at this step: its checkpoint does not know of it."""
        self._saved_steps.discard(self._run.step)

    def note(self, epoch: EpochDone) -> Iterator[Artifact]:
        """Copy the weights of an epoch that is the best so far, by the mean validation loss of the living series.

        A small copy waits for the next checkpoint, a large one leaves at once.
        """
        mean = mean_or_inf([epoch.validation_loss[one.index] for one in self._run.series if one.is_alive])
        if mean < self._best_loss and self._best_copy.is_due(now := time.perf_counter()):
            self._best_loss, self._best = mean, self._run.checkpoint("best")
            if len(self._best.data) > LARGE_BYTES:
                yield from self._kept_best()
            self._best_copy.spend(now, time.perf_counter() - now)

    def upkeep(self) -> Iterator[Artifact]:
        """What is due between two reports: a copy of the good state, a checkpoint."""
        run, now = self._run, time.perf_counter()
        if self._memory.is_due(now):
            start = time.perf_counter()
            run.remember()
            self._memory.spend(now, time.perf_counter() - start)
        self._saving.gap_s = min(self._settings.checkpoint_s, FIRST_SAVE_S + run.watch.read())  # early moments are worth a look
        is_early = self.is_early_moment()
        if (is_early or self._saving.is_due(now)) and run.is_alive:
            start = time.perf_counter()
            checkpoints = list(self.saved())
            self._took(now, time.perf_counter() - start, is_early=is_early)
            yield from checkpoints

    def _took(self, now: float, cost_s: float, *, is_early: bool) -> None:
        """A checkpoint was made. An early one leaves the next of the others when it was due."""
        self._next_early = max(self._run.step + 1, math.ceil(self._run.step * EARLY_RATIO))
        if is_early:
            self._early_s = cost_s
            self._early_cost_s += cost_s
        else:
            self._saving.spend(now, cost_s)


def mean_or_inf(numbers: list[float]) -> float:
    """Their mean; infinite where it is not finite, or there are none."""
    mean = sum(numbers) / len(numbers) if numbers else math.inf
    return mean if math.isfinite(mean) else math.inf
