"""The limits of the pool and of each visitor, and what is known of visitors: who is here, who waits for which answer."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.data.own.senders import files_of
from core.errors import SpecError
from core.events import Command, Resume, Step
from core.experiment.need import Need
from core.jobs.job import Job
from core.jobs.pool import quota
from core.jobs.pool.askers import Askers
from core.jobs.pool.control import Answer
from core.jobs.pool.engine import Lane
from core.jobs.pool.line import PRIORITY, TrainingLine
from core.jobs.pool.overtime import Overtime
from core.jobs.pool.ownership import owner_of
from core.jobs.pool.presence import Presence
from core.jobs.pool.running import LiveRun
from core.jobs.pool.scheduling import check_room
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.protocol import RunRecord, RunWriter
from core.store.usage import Usage
from core.types import UNFINISHED

MOST_PRESENT = 10_000


class Admission:
    """Checks what is submitted or wants to go on. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter, files: ArtifactFiles, settings: Settings, live: Mapping[str, LiveRun]) -> None:
        self._store = store
        self._settings = settings
        self._live = live
        self.askers = Askers()
        self.presence = Presence(settings.lease_s)
        self.overtime = Overtime(store, files, settings, self.presence, self.askers)
        self.line = TrainingLine(store, settings, live, self.overtime.worked)
        self.asks: dict[str, Callable[[Answer], Answer]] = {"present": self._present, "queue": self.line.places}

    def check(self, job: Job, owner: str) -> None:
        """Refuse a job that the pool or its visitor has no room for. What is nobody's has the pool's limits alone.

        Raises:
            TooExpensive: there is no room; the message has both numbers.
        """
        self._check_room(job.lane)
        if not owner:
            return
        usage = self._store.usage(owner)
        quota.check_visitor(job.lane, usage, self._settings)
        if job.lane == "training":
            self._check_kept(owner, usage, job.need())

    def check_again(self, record: RunRecord, lane: Lane) -> None:
        """As `check`, for a run that is there and wants to work again; its time of work counts anew."""
        self._check_room(lane)
        if record.owner:
            usage = self._store.usage(record.owner, without=record.id)
            quota.check_visitor(lane, usage, self._settings)
            if lane == "training":
                self._check_kept(record.owner, usage, self.line.known(record).need)
        self.overtime.worked.forget(record.id)

    def _check_kept(self, owner: str, usage: Usage, need: Need | None) -> None:
        """Refuse a run that needs so much, beside what `usage` counts."""
        unfinished = [record for record in self._store.in_states(UNFINISHED) if record.owner == owner]
        needs = [need, *(self.line.known(record).need for record in unfinished)]
        growth = sum(quota.expected_file_bytes(one, self._settings) for one in needs) - usage.growing_bytes
        sent = sum(file.n_bytes for file in files_of(owner, self._settings))
        quota.check_kept(usage, sent, max(0, growth), self._settings)

    def check_turn(self, live: LiveRun, command: Command) -> None:
        """Refuse to let a paused run go on while as many others of its owner work as may; one step by hand is always possible.

        Raises:
            TooExpensive: they do.
        """
        goes_on = isinstance(command, Resume) or (isinstance(command, Step) and (command.n > 1 or command.unit == "epoch"))
        if goes_on and live.state == "paused" and live.record.owner and live.worker.lane == "training":
            quota.check_turn(self.line.occupancy().n_of(live.record.owner) - live.is_working, self._settings)

    def note_asker(self, job: Job, run: str, request: Answer) -> None:
        """Who asks for something is here, and waits for the answer of this run."""
        owner = owner_of(request)
        self.presence.see([owner])
        if job.has_lasting_answer:
            self.askers.note(run, owner)

    def startable(self, lane: Lane) -> Iterator[str]:
        """The runs of a lane that may start now, next one first. Whoever does not start one must not ask for a further one."""
        yield from self.line.startable() if lane == "training" else self._store.queue(priority=PRIORITY[lane])

    def ended(self, run: LiveRun) -> None:
        """A run has no worker any more."""
        if run.state not in UNFINISHED:
            self.forget(run.id)

    def forget(self, run: str) -> None:
        """A run has ended: who waited for it, and for how long it worked, matters no more."""
        self.askers.forget(run)
        self.overtime.worked.forget(run)

    def _check_room(self, lane: Lane) -> None:
        n_live = sum(one.worker.lane == lane for one in self._live.values())
        check_room(lane, n_live + len(self._store.queue(priority=PRIORITY[lane])), self._settings)

    def _present(self, request: Answer) -> Answer:
        """The server says which visitors have a page open."""
        owners: Any = request.get("owners", [])
        if not isinstance(owners, list) or len(owners) > MOST_PRESENT or not all(isinstance(one, str) for one in owners):
            raise SpecError("owners: this must be a list of texts.", hint="Leave this to the server.")
        self.presence.see(owners)
        return {}
