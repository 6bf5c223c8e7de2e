"""Fold an event stream into curves and the present state of a run. Pure: no clock, no file, no session."""

from array import array
from dataclasses import dataclass, field

from core.events import (
    EpochDone,
    Event,
    Failed,
    Finished,
    HyperChanged,
    Noticed,
    Paused,
    Progressed,
    Resumed,
    Started,
    StepMeasured,
    StepsDone,
    SurfaceMeasured,
    WorkerLost,
)


@dataclass(slots=True)
class History:
    """What happened in a run so far. `losses[series][i]` is the batch loss of step `i + 1`."""

    started: Started | None = None
    losses: "list[array[float]]" = field(default_factory=list)
    learning_rates: tuple[float, ...] = ()
    measured: list[StepMeasured] = field(default_factory=list)
    epochs: list[EpochDone] = field(default_factory=list)
    changes: list[HyperChanged] = field(default_factory=list)
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

    def append(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case Started():
                self._start(event)
            case StepsDone():
                self._add_steps(event)
            case StepMeasured():
                self.measured.append(event)
            case EpochDone():
                self.epochs.append(event)
            case SurfaceMeasured():
                self.surfaces[event.series] = event
            case HyperChanged():
                self.changes.append(event)
            case _:
                self._note(event)

    def _start(self, event: Started) -> None:
        self.started = event
        if not self.losses:
            self.losses = [array("d") for _ in event.series]

    def _add_steps(self, event: StepsDone) -> None:
        for losses, new in zip(self.losses, event.losses, strict=True):
            del losses[event.first_step - 1 :]
            losses.extend(new)
        self.learning_rates = event.learning_rates
        spent = event.elapsed_s - self.elapsed_s
        if spent > 0:
            rate = len(event.losses[0]) / spent
            weight = min(1.0, spent)  # a second of memory, so that the figure can be read
            self.steps_per_s = rate if self.steps_per_s == 0 else (1 - weight) * self.steps_per_s + weight * rate
        self.elapsed_s = event.elapsed_s

    def _note(self, event: Event) -> None:
        match event:
            case Noticed():
                self.notices.append(event)
            case Progressed():
                self.progress = event
            case Paused():
                self.is_paused = True
            case Resumed():
                self.is_paused = False
            case WorkerLost():
                self.n_lost_workers += 1
            case Finished() | Failed():
                self.end = event
                self.is_paused = False
            case _:
                return
