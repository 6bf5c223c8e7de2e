"""Fold a run's events, as they are committed, into the figures of its line in the table and its thinned curve.

Pure, and of bounded memory: the supervisor keeps one for each live run, where a History would keep every step.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from core.events import (
    EpochDone,
    Event,
    Finished,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    Started,
    StepsDone,
)
from core.run_curve import FIGURES, RunCurve
from core.thin_losses import Floats, ThinLosses

NAMES = (
    *("Started", "StepsDone", "EpochDone", "Finished", "LaneAdded", "LaneRemoved", "LaneStepsDone", "LaneEpochDone"),
    *("HyperChanged", "OptimizerSwapped"),
)
"""The events that count here."""
MOST_EPOCHS = 1024
"""Rows that are kept; with more, every second one goes, and the newest always stays."""
LOSS = FIGURES.index("validation_loss")


@dataclass(frozen=True, slots=True)
class _Epoch:
    """An epoch that was told, the nth; `figures` (4, series)."""

    n: int
    epoch: int
    step: int
    elapsed_s: float
    figures: Floats


@dataclass(slots=True)
class RunFold:
    """What has happened so far."""

    started: Started | None = None
    n_lanes: int = 0
    repeats: int = 1
    elapsed_s: float = 0.0
    losses: ThinLosses = field(default_factory=ThinLosses)
    epochs: list[_Epoch] = field(default_factory=list)
    n_epochs: int = 0
    best: Floats = field(default_factory=lambda: np.zeros((len(FIGURES), 0)))
    """(4, series): at the epoch of each series with its lowest validation loss."""
    removed: set[int] = field(default_factory=set)
    catching_up: dict[int, int] = field(default_factory=dict)
    """Lanes that joined late, and the step up to which their past must be told."""
    n_changes: int = 0
    end: Finished | None = None
    _epoch_stride: int = 1

    def append(self, event: Event) -> None:
        """Take in the next event."""
        match event:
            case StepsDone():
                self.losses.append(event.first_step, event.losses, self.elapsed_s, event.elapsed_s)
                self.elapsed_s = event.elapsed_s
            case EpochDone():
                self._add_epoch(event)
            case Started():
                self._start(event)
            case Finished():
                self.end = event
            case LaneAdded() | LaneRemoved() | LaneStepsDone() | LaneEpochDone():
                self._change_lanes(event)
        self.n_changes += type(event).__name__ in ("HyperChanged", "OptimizerSwapped", "LaneAdded", "LaneRemoved")

    def best_lane(self) -> int:
        """The lane with the lowest validation loss at its seeds' best epochs, on the mean; the first where none is known."""
        scores = [self._mean(self.best[LOSS], lane) for lane in range(self.n_lanes)]
        known = [lane for lane, score in enumerate(scores) if np.isfinite(score) and not self._is_out(lane)]
        sound = [lane for lane in known if not self._has_diverged(lane).all()]
        return min(sound or known or [0], key=lambda lane: scores[lane] if known else 0)

    def figures(self) -> dict[str, float]:
        """As in RunRow, of the best lane; what is not known, or not finite, is left out."""
        lane, found = self.best_lane(), dict[str, float]()
        if self.epochs and self.n_lanes:
            last = self.epochs[-1]
            found |= {name: self._mean(last.figures[k], lane) for k, name in enumerate(FIGURES)}
            found |= {f"best_{name}": self._mean(self.best[k], lane) for k, name in enumerate(FIGURES) if "validation" in name}
            found["epochs"] = float(last.epoch)
        for name in ("test_loss", "test_accuracy"):
            values = getattr(self.end, name, None)
            if values and len(values) == self.n_lanes * self.repeats:
                found[name] = self._mean(np.array(values), lane)
        if self.losses.n_steps and self.started:
            each = self.started.n_train / max(1, self.started.steps_per_epoch)
            found |= {"steps": float(self.losses.n_steps), "examples": float(round(self.losses.n_steps * each))}
        found["seconds"] = self.elapsed_s or (self.end.elapsed_s if self.end else 0.0)
        if self.started and self.started.n_parameters:
            found["n_parameters"] = float(self.started.n_parameters)
        if not found["seconds"]:
            del found["seconds"]
        return {name: float(value) for name, value in found.items() if np.isfinite(value)}

    def curve(self) -> RunCurve:
        """The best lane's, the mean over its seeds; a seed that is not finite any more does not count from there on."""
        series = self._series(self.best_lane()) if self.n_lanes else range(0)
        figures = np.array([_means(row.figures[:, series]) for row in self.epochs]).reshape(-1, len(FIGURES)).T
        return RunCurve(
            self.losses.stride,
            self.started.steps_per_epoch if self.started else 0,
            self.started.n_train if self.started else 0,
            self.losses.steps(),
            _means(self.losses.means(series).T),
            self.losses.seconds(),
            np.array([row.epoch for row in self.epochs], np.float64),
            np.array([row.step for row in self.epochs], np.float64),
            np.array([row.elapsed_s for row in self.epochs], np.float64),
            figures,
        )

    def _start(self, event: Started) -> None:
        self.started, self.repeats = event, event.repeats
        self.n_lanes = max(self.n_lanes, len(event.lanes or event.series))
        self._widen(self.n_lanes * self.repeats)

    def _widen(self, n_series: int, source: range | None = None) -> None:
        self.losses.widen(n_series, source)
        self.epochs = [replace(row, figures=_padded(row.figures, n_series, source)) for row in self.epochs]
        self.best = _padded(self.best, n_series, source)

    def _add_epoch(self, event: EpochDone) -> None:
        self.n_epochs += 1
        told = np.array([getattr(event, name) for name in FIGURES], np.float64)
        row = _Epoch(self.n_epochs, event.epoch, event.step, event.elapsed_s, _padded(told, self.n_lanes * self.repeats, None))
        if self.epochs and self.epochs[-1].n % self._epoch_stride:
            self.epochs.pop()
        self.epochs.append(row)
        if len(self.epochs) > MOST_EPOCHS:
            self._epoch_stride *= 2
            self.epochs = [one for one in self.epochs if one is row or one.n % self._epoch_stride == 0]
        self._compare(row.figures, slice(None))

    def _compare(self, figures: Floats, series: slice) -> None:
        """Keep what is better than the best so far, the first of equals."""
        mine = self.best[:, series]
        is_better = np.isfinite(figures[LOSS]) & ~(figures[LOSS] >= mine[LOSS])
        mine[:, is_better] = figures[:, is_better]

    def _change_lanes(self, event: LaneAdded | LaneRemoved | LaneStepsDone | LaneEpochDone) -> None:
        match event:
            case LaneAdded() if event.lane >= self.n_lanes:
                self.n_lanes = event.lane + 1
                self._widen(self.n_lanes * self.repeats, self._series(event.source) if event.source >= 0 else None)
                if event.source < 0:
                    self.catching_up[event.lane] = event.step
            case LaneRemoved():
                self.removed.add(event.lane)
            case LaneStepsDone():
                self.losses.fill(self._series(event.lane), event.first_step, event.losses)
                if event.first_step + len(event.losses[0]) > self.catching_up.get(event.lane, 0):
                    self.catching_up.pop(event.lane, None)
            case LaneEpochDone():
                self._fill_epoch(event)

    def _fill_epoch(self, event: LaneEpochDone) -> None:
        told = np.array([getattr(event, name) for name in FIGURES], np.float64)
        span = slice(event.lane * self.repeats, (event.lane + 1) * self.repeats)
        for row in self.epochs:
            if row.epoch == event.epoch:
                row.figures[:, span] = told
        self._compare(told, span)

    def _series(self, lane: int) -> range:
        return range(lane * self.repeats, (lane + 1) * self.repeats)

    def _is_out(self, lane: int) -> bool:
        return lane in self.removed or lane in self.catching_up

    def _has_diverged(self, lane: int) -> np.ndarray:
        """(repeats,): whether the newest loss of a seed is not finite."""
        last = self.losses.last[list(self._series(lane))]
        return ~np.isfinite(last) if self.losses.n_steps else np.zeros(len(last), bool)

    def _mean(self, values: Floats, lane: int) -> float:
        """Over the seeds of a lane that did not diverge; over all where all did. NaN where nothing is known."""
        diverged = self._has_diverged(lane)
        mine = values[list(self._series(lane))]
        mine = mine if diverged.all() else mine[~diverged]
        return float(np.mean(mine)) if np.isfinite(mine).all() else float("nan")


def _padded(values: Floats, n_series: int, source: range | None) -> Floats:
    """`values` (4, series) for all series: what it does not tell is that of `source`, or NaN."""
    n_new = n_series - values.shape[1]
    if n_new <= 0:
        return values
    past = values[:, list(source)] if source else np.full((len(values), n_new), np.nan)
    return np.concatenate([values, past], axis=1)


def _means(values: Floats) -> Floats:
    """The mean along the last axis over what is finite; NaN where nothing is."""
    is_known = np.isfinite(values)
    counts = is_known.sum(-1)
    with np.errstate(invalid="ignore"):
        means: Floats = np.where(is_known, values, 0.0).sum(-1) / np.where(counts, counts, np.nan)
    return means
