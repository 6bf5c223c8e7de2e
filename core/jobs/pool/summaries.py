"""Keeps each run's line in the table of runs: folded from its events as they are committed, never by reading the log again.

Except where there is no other way: a run that goes on after an interruption, and runs of an older database, which are made up
for in small portions.
"""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from core.errors import LayerwiseError
from core.events import Event, Failed, Finished, LaneAdded, Started
from core.experiment.experiment import Experiment
from core.experiment.facts import costs, facts, flat
from core.experiment.lane import Lane
from core.jobs.job import ArtifactRef, Job
from core.jobs.menu import parse_job
from core.run_fold import NAMES, RunFold
from core.run_row import Fact
from core.store.protocol import RunRecord, RunWriter, Summary

LOG = logging.getLogger(__name__)

EVERY_S = 0.5
"""A live run's line is written at most so often; at its beginning and its end at once."""
LINES_PER_S = 10.0
"""Of all live runs together, beginnings and ends aside: one takes as long as three batches of events."""
LOOK_S = 5.0
PAGE = 1000


@dataclass(slots=True)
class Line:
    """One run's line as it grows."""

    run: str
    experiment: Experiment | None
    parent: str = ""
    parent_step: int = 0
    own: dict[str, Fact] = field(default_factory=dict)
    """Facts of the job beside its experiment."""
    costs: dict[str, float] = field(default_factory=dict)
    fold: RunFold = field(default_factory=RunFold)
    lanes: list[Lane] = field(default_factory=list)
    is_dirty: bool = False
    is_urgent: bool = False
    unread: int | None = None
    """Where there is a log that has not been read to its end: the seq up to which it was. None once events can be told."""
    is_broken: bool = False
    """Something could not be summed up: the line stays as it was last written."""
    written: float = 0.0
    _facts: dict[tuple[int, int, int], dict[str, Fact]] = field(default_factory=dict)

    def append(self, event: Event) -> None:
        """Take in the next event."""
        n_lanes = self.fold.n_lanes
        self.fold.append(event)
        if isinstance(event, LaneAdded) and event.lane >= n_lanes and self.lanes:
            self.lanes = [*self.lanes[: event.lane], self._joined(event)]
        self.is_dirty = self.is_dirty or type(event).__name__ in NAMES
        self.is_urgent = self.is_urgent or isinstance(event, (Started, Finished, Failed))

    def _joined(self, event: LaneAdded) -> Lane:
        """The lane that joined; where its text cannot be read, as its source."""
        try:
            return Lane.model_validate_json(event.definition)
        except ValueError:
            return self.lanes[max(0, event.source)]

    def is_due(self, now: float, every_s: float = EVERY_S) -> bool:
        """Whether it is to be written by now."""
        if self.is_broken or self.unread is not None:
            return False
        return self.is_urgent or (self.is_dirty and now - self.written >= every_s)

    def summary(self) -> Summary:
        """As it is now."""
        return Summary(self.parent, self.parent_step, self.facts(), self.costs | self.fold.figures())

    def facts(self) -> dict[str, Fact]:
        """Those of the best lane; a race also says how many lanes there are, and which is best."""
        lane, n_changes = self.fold.best_lane(), self.fold.n_changes
        key = (lane, len(self.lanes), n_changes)
        if key not in self._facts:
            self._facts = {key: self._made(lane, n_changes)}
        return self._facts[key]

    def _made(self, lane: int, n_changes: int) -> dict[str, Fact]:
        if self.experiment is None:
            return self.own
        best = self.lanes[lane] if lane < len(self.lanes) else None
        found = facts(self.experiment, best)
        if len(self.lanes) > 1:
            found |= {"lanes": float(len(self.lanes)), "best_lane": self.lanes[lane].label}
        if n_changes:
            found["changes"] = float(n_changes)
        return found | self.own


class Summaries:
    """Every method that writes belongs inside a transaction."""

    def __init__(self, store: RunWriter) -> None:
        self._store = store
        self._looked = 0.0
        self._waiting: list[str] = []
        self._mending: Line | None = None
        self._n_live = 0

    def begin(self, run: str, job: Job) -> None:
        """The line of a run that was just queued."""
        self._write(self.line(run, job))

    def opened(self, record: RunRecord) -> Line:
        """The line of a run that gets a worker; what its log says already is read in portions by `keep`."""
        line = self.line(record.id, _parsed(record.job))
        line.unread = 0 if record.last_seq else None
        return line

    def tell(self, line: Line, event: Event) -> None:
        """What was just committed. That it cannot be summed up must harm neither the run nor the others."""
        if line.unread is None and not line.is_broken:
            try:
                line.append(event)
            except Exception:
                LOG.exception("run %s cannot be summed up", line.run)
                line.is_broken = True

    def keep(self, line: Line) -> None:
        """Write the line where it is due."""
        if line.unread is not None:
            self._read_on(line)
        if line.is_due(time.monotonic(), max(EVERY_S, self._n_live / LINES_PER_S)):
            self._write(line)

    def mend(self, live: Collection[str]) -> None:
        """Go on with a run that has no summary yet; a page of its log at once. `live` runs have theirs in hand."""
        self._n_live = len(live)
        if self._mending is None:
            self._mending = self._next(live)
        if self._mending is None:
            return
        line = self._mending
        self._read_on(line)
        if line.unread is None or line.run in live:
            self._mending = None
        if line.unread is None and line.run not in live and self._store.run(line.run) is not None:
            self._write(line)

    def _read_on(self, line: Line) -> None:
        """One more page of its log."""
        try:
            page = self._store.log(line.run, NAMES, line.unread or 0, PAGE)
        except LayerwiseError:
            LOG.exception("the log of run %s cannot be read", line.run)
            page = ()
        line.unread = None
        for logged in page:
            self.tell(line, logged.event)
        if len(page) == PAGE:
            line.unread = page[-1].seq

    def _next(self, live: Collection[str]) -> Line | None:
        now = time.monotonic()
        if not self._waiting and now - self._looked >= LOOK_S:
            self._looked = now
            self._waiting = [run for run in self._store.unsummarised(PAGE) if run not in live]
        while self._waiting:
            record = self._store.run(self._waiting.pop(0))
            if record is not None:
                return self.opened(record)
        return None

    def line(self, run: str, job: Job | None) -> Line:
        """The line of a run that has said nothing yet; of a job that is not known here, an empty one."""
        if job is None:
            return Line(run, None)
        experiment = _experiment(job)
        line = Line(run, experiment, own=_own_facts(job))
        if experiment is not None:
            line.costs, line.lanes = costs(experiment), list(experiment.lanes)
        line.parent, line.parent_step = self._parent(job, experiment)
        return line

    def _parent(self, job: Job, experiment: Experiment | None) -> tuple[str, int]:
        """Where its weights come from: the origin of its experiment, or the checkpoint that the job works on."""
        weights = getattr(job, "weights", None)
        if isinstance(weights, ArtifactRef):
            saved = next((one for one in self._store.artifacts(weights.run) if one.name == weights.name), None)
            return weights.run, saved.step if saved else 0
        if experiment is not None and experiment.origin is not None:
            return experiment.origin.run, experiment.origin.step
        return "", 0

    def _write(self, line: Line) -> None:
        curve = line.fold.curve() if line.fold.losses.n_steps or line.fold.epochs else None
        self._store.summarise(line.run, line.summary(), curve)
        line.is_dirty = line.is_urgent = False
        line.written = time.monotonic()


def _parsed(text: str) -> Job | None:
    """The job, or None for one of another version."""
    try:
        return parse_job(text)
    except LayerwiseError:
        return None


def _experiment(job: Job) -> Experiment | None:
    """The experiment whose weights it keeps, or looks at; None where there is none, or it cannot be had (any more)."""
    looked_at: Experiment | None = getattr(job, "experiment", None)
    try:
        return job.trained() or looked_at
    except (LayerwiseError, OSError):
        return looked_at


def _own_facts(job: Job) -> dict[str, Fact]:
    """What a job says beside its experiment and whose weights it looks at."""
    if type(job).model_fields.keys() <= {"kind", "experiment", "starts_paused"}:
        return {}
    skipped = ("experiment", "weights", "example", "series", "file", "name")
    return {name: value for name, value in flat(job) if name.split(".")[0] not in skipped}
