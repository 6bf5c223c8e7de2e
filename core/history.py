"""Fold an event stream into curves and the present state of a run. Pure: no clock, no file, no session.

Everything that is told per series has one entry for each series that there is now: a lane that joined late has NaN in the
past until its steps are told, and one that was forked has the past of its source.
"""

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.events import (
    Diagnosed,
    EpochDone,
    Event,
    Failed,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    Noticed,
    OptimizerSwapped,
    Paused,
    PhaseDone,
    Planned,
    Progressed,
    Resumed,
    Started,
    StepMeasured,
    StepsDone,
    SurfaceMeasured,
    WorkerLost,
)
from core.step_table import StepTable

Change = HyperChanged | OptimizerSwapped | LaneAdded | LaneRemoved
FIGURES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
MAX_FINDINGS = 500
REPORTS_PER_TIME = 500
"""A report is kept when this part of the time so far has gone by since the last one: some 3,000 in an hour."""


@dataclass(frozen=True, slots=True)
class PastFilled:
    """What was not known of a lane's steps `first_step` to `last_step` is known now."""

    lane: int
    first_step: int
    last_step: int


@dataclass(slots=True)
class History:
    """What happened in a run so far. `losses[series][i]` is the batch loss of step `i + 1`."""

    started: Started | None = None
    lanes: list[str] = field(default_factory=list)
    """Names, those of removed lanes too."""
    repeats: int = 1
    series: list[str] = field(default_factory=list)
    losses: "list[array[float]]" = field(default_factory=list)
    learning_rates: tuple[float, ...] = ()
    reports: StepTable = field(default_factory=lambda: StepTable("learning_rate"))
    """The learning rate of each report's last step, or as many as a curve needs."""
    report_s: "array[float]" = field(default_factory=lambda: array("d"))
    """Training time in seconds at each row of `reports`."""
    measured: StepTable = field(
        default_factory=lambda: StepTable("gradient_norm", "weight_norm", "batch_accuracy", "update_norm")
    )
    epochs: list[EpochDone] = field(default_factory=list)
    """By epoch, all series in every row: `LaneEpochDone` is merged in."""
    changes: list[Change] = field(default_factory=list)
    filled: list[PastFilled] = field(default_factory=list)
    plan: Planned | None = None
    phases: list[PhaseDone] = field(default_factory=list)
    """Of the last step that was made by hand, phase by phase."""
    findings: list[Diagnosed] = field(default_factory=list)
    notices: list[Noticed] = field(default_factory=list)
    surfaces: dict[int, SurfaceMeasured] = field(default_factory=dict)
    progress: Progressed | None = None
    end: Finished | Failed | None = None
    is_paused: bool = False
    elapsed_s: float = 0.0
    steps_per_s: float = 0.0
    n_lost_workers: int = 0

    @property
    def step(self) -> int:
        """The last step whose loss is known."""
        return len(self.losses[0]) if self.losses else 0

    def lane_of(self, series: int) -> int:
        """The lane to which a series belongs."""
        return series // self.repeats

    def series_of(self, lane: int) -> range:
        """The series of a lane, one per repeat."""
        return range(lane * self.repeats, (lane + 1) * self.repeats)

    @property
    def removed(self) -> dict[int, int]:
        """The lanes that are not trained any more, and the last step of each."""
        return {one.lane: one.step for one in self.changes if isinstance(one, LaneRemoved)}

    def best_epochs(self) -> tuple[EpochDone | None, ...]:
        """Per series the epoch with the lowest validation loss, the first of equals; None before there is one."""
        best: list[EpochDone | None] = [None] * len(self.series)
        for row in self.epochs:
            for k, loss in enumerate(row.validation_loss):
                known = best[k]
                if math.isfinite(loss) and (known is None or loss < known.validation_loss[k]):
                    best[k] = row
        return tuple(best)

    def append(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Started():
                self._start(event)
            case StepsDone():
                self._add_steps(event)
            case StepMeasured():
                self._measure(event)
            case EpochDone():
                self.epochs.append(_padded(event, len(self.series)))
            case SurfaceMeasured():
                self.surfaces[event.series] = event
            case LaneAdded() | LaneStepsDone() | LaneEpochDone():
                self._join(event)
            case _:
                self._note(event)

    def _join(self, event: LaneAdded | LaneStepsDone | LaneEpochDone) -> None:
        """A lane comes in, or catches up."""
        match event:
            case LaneAdded():
                self._add_lane(event)
            case LaneStepsDone():
                self._fill_steps(event)
            case LaneEpochDone():
                self._fill_epoch(event)

    def _start(self, event: Started) -> None:
        self.started = event
        self.repeats = event.repeats
        lanes = list(event.lanes or event.series)
        self.lanes = lanes + self.lanes[len(lanes) :]  # those that joined before an interruption
        self.series = list(event.series) + self.series[len(event.series) :]
        n_new = len(self.series) - len(self.losses)
        self.losses += [array("d", [math.nan] * self.step) for _ in range(n_new)]
        for table in (self.reports, self.measured):
            table.widen(len(self.series))
        self.epochs = [_padded(row, len(self.series)) for row in self.epochs]

    def _add_steps(self, event: StepsDone) -> None:
        n = len(event.losses[0])
        if event.first_step <= self.step:
            self._rewind(event.first_step - 1)
        for k, losses in enumerate(self.losses):
            losses.extend(event.losses[k] if k < len(event.losses) else [math.nan] * n)
        self.learning_rates = event.learning_rates
        if (
            self.changes and self.changes[-1].step == event.first_step - 1
        ):  # what was changed by hand holds from this very step on
            self._keep_report(event.first_step)
        spent = event.elapsed_s - self.elapsed_s
        if spent > 0:
            rate = n / spent
            weight = min(1.0, spent)  # a second of memory, so that the figure can be read
            self.steps_per_s = rate if self.steps_per_s == 0 else (1 - weight) * self.steps_per_s + weight * rate
        self.elapsed_s = event.elapsed_s
        last_s = self.report_s[-1] if self.report_s else -math.inf
        if self.elapsed_s - last_s >= self.elapsed_s / REPORTS_PER_TIME:
            self._keep_report(self.step)

    def _keep_report(self, step: int) -> None:
        """Keep time and learning rates as they are now, once per step."""
        if self.learning_rates and (not len(self.reports) or self.reports.steps[-1] < step):
            gone = self.removed
            rates = [math.nan if self.lane_of(k) in gone else rate for k, rate in enumerate(self.learning_rates)]
            self.reports.append(step, {"learning_rate": rates})
            self.report_s.append(self.elapsed_s)

    def _rewind(self, step: int) -> None:
        """Go back to `step`: what came after it will be told again."""
        for losses in self.losses:
            del losses[step:]
        self.reports.cut(step)
        del self.report_s[len(self.reports) :]
        self.measured.cut(step)
        self.epochs = [row for row in self.epochs if row.step <= step]

    def _measure(self, event: StepMeasured) -> None:
        self.measured.cut(event.step - 1)
        self.measured.append(
            event.step,
            {
                "gradient_norm": event.gradient_norms,
                "weight_norm": event.weight_norms,
                "batch_accuracy": event.batch_accuracies,
                "update_norm": event.update_norms,
            },
        )

    def _add_lane(self, event: LaneAdded) -> None:
        self.changes.append(event)
        if event.lane < len(self.lanes):
            return  # known already: a resumed run names it in `Started`
        self._keep_report(self.step)
        source = self.series_of(event.source) if event.source >= 0 else None
        self.lanes.append(event.name)
        self.series += event.series
        n = len(self.series)
        step = self.step
        if source is None:
            self.losses += [array("d", [math.nan] * step) for _ in event.series]
        else:
            self.losses += [array("d", self.losses[k]) for k in source]
            if any(one.lane == event.source for one in self.filled):  # a viewer may not have had it yet
                self.filled.append(PastFilled(event.lane, 1, step))
        self.reports.widen(n, source)
        self.measured.widen(n, source)
        self.epochs = [_padded(row, n, source) for row in self.epochs]
        if rates := self.learning_rates:  # empty before the first report
            past = (math.nan,) * self.repeats if source is None else rates[source.start : source.stop]
            self.learning_rates = (*rates, *past)

    def _fill_steps(self, event: LaneStepsDone) -> None:
        first = event.first_step - 1
        n = min(len(event.losses[0]), self.step - first)
        for k, losses in zip(self.series_of(event.lane), event.losses, strict=True):
            self.losses[k][first : first + n] = array("d", losses[:n])
        self.filled.append(PastFilled(event.lane, event.first_step, first + n))

    def _fill_epoch(self, event: LaneEpochDone) -> None:
        series = self.series_of(event.lane)
        for at, row in enumerate(self.epochs):
            if row.epoch == event.epoch:
                self.epochs[at] = _with(
                    row, lambda name, old: (*old[: series.start], *getattr(event, name), *old[series.stop :])
                )
                self.filled.append(PastFilled(event.lane, event.step, event.step))

    def _note(self, event: Event) -> None:
        match event:
            case HyperChanged() | OptimizerSwapped() | LaneRemoved():
                self._keep_report(self.step)
                self.changes.append(event)
            case Planned():
                self.plan = event
            case PhaseDone():
                self.phases = [one for one in self.phases if one.step == event.step and one.phase != event.phase]
                self.phases.append(event)
            case Diagnosed():
                self.findings = [*self.findings[1 - MAX_FINDINGS :], event]
            case Noticed():
                self.notices.append(event)
            case Progressed():
                self.progress = event
            case WorkerLost():
                self.n_lost_workers += 1
            case _:
                self._stand(event)

    def _stand(self, event: Event) -> None:
        """Whether the run goes on, waits, or is over."""
        match event:
            case Paused():
                self.is_paused = True
            case Resumed():
                self.is_paused = False
            case Finished() | Failed():
                self.end = event
                self.is_paused = False
            case _:
                return


def _padded(row: EpochDone, n_series: int, source: Sequence[int] | None = None) -> EpochDone:
    """`row` for all series: what it does not tell is that of `source`, or NaN."""
    n_new = n_series - len(row.validation_loss)
    if n_new <= 0:
        return row
    return _with(row, lambda _, old: (*old, *(old[k] for k in source)) if source else (*old, *[math.nan] * n_new))


def _with(row: EpochDone, change: Callable[[str, tuple[float, ...]], tuple[float, ...]]) -> EpochDone:
    """`row` with each of its figures changed: `change` gets name and values."""
    figures = [change(name, getattr(row, name)) for name in FIGURES]
    return EpochDone(row.epoch, row.step, figures[0], figures[1], figures[2], figures[3], row.elapsed_s)
