"""All that the front may call: submit a job, order a command, read what happened."""

import json
import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path

from core import errors
from core.errors import LayerwiseError, PoolError, SpecError, StoreError
from core.events import Command, dump
from core.jobs.job import Deleted, Job, PoolStatus
from core.jobs.pool.control import MAX_LINE_BYTES, Answer, ask, refusal
from core.jobs.pool_health import PoolHealth
from core.jobs.queue_client import QueueClient
from core.jobs.room_client import RoomClient
from core.jobs.starter import Starter
from core.settings import Settings
from core.store.artifacts import ArtifactFiles
from core.store.sql import SqlReader

LOG = logging.getLogger(__name__)

START_S = 20.0
"""A supervisor that does not listen by then will not."""
ANSWER_S = 10.0
MAX_TOGETHER_BYTES = MAX_LINE_BYTES // 2
"""Of jobs in one request: there is room for who asks, and the supervisor never has long to do with one."""


class Client(RoomClient, QueueClient):
    """One per server process; its methods may be called from any thread.

    Made from a folder it speaks for whoever owns that folder and may change everything. `of` gives one that speaks for a
    visitor: the supervisor lets it change that visitor's runs alone.
    """

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home = home.absolute()
        self._files = ArtifactFiles(self._home)
        self._starter = Starter(self._home, settings)
        self._by: Answer = {}
        self.store = SqlReader(self._home / "runs.db")

    def of(self, owner: str, *, is_host: bool = False, room: str = "") -> "Client":
        """The same way to the supervisor, for one visitor.

        Args:
            owner: the public id of the visitor's space.
            is_host: whether this visitor may change everybody's runs.
            room: the room that this visitor is in: training runs submitted from there are noted as the member's.
        """
        bound = copy(self)
        bound._by = {"by": owner} | ({"as_host": True} if is_host else {}) | ({"in_room": room} if room else {})
        return bound

    def ensure_supervisor(self) -> None:
        """Start the supervisor where none listens. Does not wait for it."""
        try:
            ask(self._home, {"ask": "status"}, timeout_s=ANSWER_S)
        except OSError:
            self._starter.start()

    def submit(self, job: Job, owner: str = "", name: str = "") -> str:
        """Queue a job; the id of its run. A lens job that was asked before gives the run that has its answer.

        The run belongs to the visitor for whom this client speaks, else to `owner`.

        Raises:
            SpecError: it is refused; the message says why.
            PoolError: no supervisor could be reached.
        """
        # The id is chosen here, so that asking again after a lost answer does not make a second run.
        request = {"ask": "submit", "run": secrets.token_hex(16), "job": job.model_dump_json(), "owner": owner, "name": name}
        return str(self._ask(request)["run"])

    def submit_all(self, jobs: Sequence[Job]) -> list[str | LayerwiseError]:
        """Queue jobs in this order: for each the id of its run, or why it is refused. Else as `submit`.

        They go with one request, or with a few where one would be too large; if a later one fails, the earlier stay queued.
        """
        asked = [{"run": secrets.token_hex(16), "job": job.model_dump_json()} for job in jobs]
        answers = [answer for together in _requests(asked) for answer in self._answers(together)]
        return [answer["run"] if "run" in answer else _refused(answer["error"]) for answer in answers]

    def command(self, run: str, command: Command) -> None:
        """Order something of an unfinished run; errors as in `submit`."""
        self._ask({"ask": "command", "run": run, "command": type(command).__name__, "fields": dump(command)})

    def annotate(
        self, run: str, *, name: str | None = None, tags: Sequence[str] | None = None, note: str | None = None
    ) -> None:
        """Set what is said of a kept run; what is None stays. An empty name gives the run its first one back.

        Raises:
            SpecError: there is no such run, or there are too many tags.
        """
        said = {"name": name, "tags": None if tags is None else list(tags), "note": note}
        self._ask({"ask": "annotate", "runs": [run]} | {key: value for key, value in said.items() if value is not None})

    def tag(self, runs: Sequence[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Add tags to runs and take others away; errors as in `annotate`."""
        self._ask({"ask": "tag", "runs": list(runs), "add": list(add), "remove": list(remove)})

    def delete(self, runs: Sequence[str]) -> Deleted:
        """Put runs into the bin, where they can be brought back from for some days.

        Raises:
            SpecError: there is no such run, or it is a single one that has not ended.
        """
        answer = self._ask({"ask": "delete", "runs": list(runs)})
        return Deleted(tuple(answer["deleted"]), tuple(answer["unfinished"]))

    def restore(self, runs: Sequence[str]) -> None:
        """Take runs out of the bin; errors as in `annotate`."""
        self._ask({"ask": "restore", "runs": list(runs)})

    def empty_bin(self) -> Deleted:
        """Delete what is in the bin for good, except what an unfinished run needs."""
        answer = self._ask({"ask": "empty_bin"})
        return Deleted(tuple(answer["swept"]), tuple(answer["needed"]))

    def status(self) -> PoolStatus:
        """How busy the pool is. A pool that is not there is cold; it is then being started."""
        try:
            answer = ask(self._home, {"ask": "status"}, timeout_s=ANSWER_S)
        except OSError:
            self._starter.start()
            return PoolStatus(is_warm=False, is_lens_warm=False, running=0, queued=0)
        return PoolStatus(**_granted(answer)["status"])

    def pulse(self, timeout_s: float) -> PoolStatus | None:
        """How busy the pool is; None where it does not answer in this time. Starts nothing."""
        try:
            return PoolStatus(**_granted(ask(self._home, {"ask": "status"}, timeout_s=timeout_s))["status"])
        except OSError:
            return None

    def health(self, timeout_s: float = ANSWER_S) -> PoolHealth | None:
        """How the pool is doing, for the host alone; None where it does not answer in this time. Starts nothing."""
        try:
            return PoolHealth.of(_granted(ask(self._home, {"ask": "health"} | self._by, timeout_s=timeout_s))["health"])
        except OSError:
            return None

    def shutdown(self) -> None:
        """End the supervisor and its workers; unfinished runs go on when it is started again."""
        try:
            ask(self._home, {"ask": "shutdown"}, timeout_s=ANSWER_S)
        except OSError:
            LOG.info("no supervisor to shut down")
        self._starter.wait(ANSWER_S)

    def artifact_bytes(self, run: str, name: str) -> bytes:
        """The bytes of an artifact, checked against its digest.

        Raises:
            StoreError: there is none, or its file is gone or damaged.
        """
        record = next((one for one in self.store.artifacts(run) if one.name == name), None)
        if record is None:
            raise StoreError(
                f"Run {run[:80]} has no artifact {name[:80]!r}.", hint="Wait until it is there, or start the run again."
            )
        return self._files.read(run, name, record.sha256)

    def _answers(self, asked: list[Answer]) -> list[Answer]:
        try:
            answers: list[Answer] = self._ask({"ask": "submit_all", "jobs": asked, "owner": "", "name": ""})["answers"]
        except SpecError as error:  # too large by itself: it keeps none of the others out
            if len(asked) > 1:
                raise
            return [refusal(error)]
        return answers

    def _ask(self, request: Answer) -> Answer:
        deadline = time.monotonic() + START_S
        while True:
            try:
                return _granted(ask(self._home, request | self._by, timeout_s=ANSWER_S))
            except TimeoutError:
                raise PoolError(f"The supervisor did not answer within {ANSWER_S:g} s.", hint=self._log_hint()) from None
            except OSError:
                if time.monotonic() > deadline:
                    raise PoolError(f"No supervisor could be started within {START_S:g} s.", hint=self._log_hint()) from None
                self._starter.start()
                time.sleep(0.02)

    def _log_hint(self) -> str:
        return f"Look into {self._home / 'logs' / 'supervisor.log'}."


def _requests(asked: Sequence[Answer]) -> Iterator[list[Answer]]:
    """The same in this order, cut into what goes with one request; what is large by itself goes alone."""
    together: list[Answer] = []
    n_bytes = 0
    for one in asked:
        size = len(json.dumps(one))
        if together and n_bytes + size > MAX_TOGETHER_BYTES:
            yield together
            together, n_bytes = [], 0
        together.append(one)
        n_bytes += size
    if together:
        yield together


def _granted(answer: Answer) -> Answer:
    """The answer, or the error that it is."""
    if "error" in answer:
        raise _refused(answer["error"])
    return answer


def _refused(said: Answer) -> LayerwiseError:
    kind: type[LayerwiseError] = getattr(errors, str(said["kind"]), LayerwiseError)
    return kind(said["message"], hint=said["hint"])
