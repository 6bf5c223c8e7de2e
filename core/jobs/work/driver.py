"""Drive one stream: pull events, obey commands, and make sure that it ends with exactly one Finished or Failed."""

import time
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

from core.events import (
    AddLane,
    Artifact,
    ArtifactSaved,
    Command,
    Event,
    Failed,
    Finished,
    Pause,
    Paused,
    RemoveLane,
    Resume,
    Resumed,
    SetSpeed,
    Step,
    Stop,
    SwapOptimizer,
)
from core.jobs.job import Stopped, Stream
from core.jobs.messages import step_after
from core.jobs.work.failures import failed, spoils_its_process

ANSWERED_BY_REST = (AddLane, RemoveLane, SetSpeed, SwapOptimizer)
"""Sent to a paused stream, these make it tell what came of them and pause again."""


class Inbox(Protocol):
    """Where commands for the run arrive."""

    def take(self, step: int, *, wait: bool) -> Command | None:
        """The next command; None when there is none and `wait` is False. `step` is the last step done."""


class Driver:
    """Pulls a stream. `Pause` and `Step` are sent in; the stream tells all it has, yields `Paused`, and is pulled no more
    until `Resume` or the next command. After `Stop` it ends itself.

    Args:
        keep: puts an artifact away and returns the event that says so.
        step: the last step done before the stream begins.
        pause_at: go on to this step, then wait: the run was paused there when its worker was lost.
    """

    def __init__(
        self,
        stream: Stream,
        inbox: Inbox,
        keep: Callable[[Artifact], ArtifactSaved],
        *,
        step: int = 0,
        pause_at: int | None = None,
    ) -> None:
        self.is_process_spoilt = False
        """The job failed in a way after which no other may be done in this process."""
        self._stream = stream
        self._inbox = inbox
        self._keep = keep
        self._step = step
        self._pause_at = pause_at
        self._is_resting = False
        self._awaits_rest = False
        self._is_resumed_early = False
        self._is_stopping = False
        self._begun = time.monotonic()

    def events(self) -> Iterator[Event]:
        """All that the stream yields and what the driver has to say, up to the one end."""
        try:
            yield from self._pull()
        except Stopped:
            yield Finished("stopped", self._step, time.monotonic() - self._begun)
        except Exception as error:  # noqa: BLE001  a bug in a job ends its run in words, and only its run
            end = failed(error, self._step)
            self.is_process_spoilt = spoils_its_process(end)
            yield end
        finally:
            self._stream.close()

    def _pull(self) -> Iterator[Event]:
        command: Command | None = None
        while True:
            try:
                item = self._stream.send(command)
            except StopIteration:
                raise RuntimeError("the stream ended without Finished or Failed") from None
            if item is None:
                command = yield from self._next_command()
                continue
            event = self._keep(item) if isinstance(item, Artifact) else item
            self._step = step_after(event, self._step)
            yield event
            if isinstance(event, (Finished, Failed)):
                return
            if isinstance(event, Paused):
                self._is_resting, self._awaits_rest = True, False
            command = yield from self._next_command()

    def _next_command(self) -> Generator[Event, None, Command | None]:
        """What to send into the stream next. Returns when the stream may be pulled."""
        if self._pause_at is not None:
            n_missing, self._pause_at = self._pause_at - self._step, None
            return self._sent(Step(n_missing) if n_missing > 0 else Pause())
        if self._is_resting and self._is_resumed_early:
            yield self._resumed()
        while not self._is_stopping:
            command = self._inbox.take(self._step, wait=self._is_resting)
            if isinstance(command, Resume):
                yield from self._resume()
            elif not (isinstance(command, Pause) and self._is_resting):
                return self._sent(command)
        return None

    def _resume(self) -> Iterator[Event]:
        if self._is_resting:
            yield self._resumed()
        else:
            self._is_resumed_early = self._awaits_rest

    def _resumed(self) -> Resumed:
        self._is_resting = self._is_resumed_early = False
        return Resumed(self._step)

    def _sent(self, command: Command | None) -> Command | None:
        if isinstance(command, (Pause, Step)) or (self._is_resting and isinstance(command, ANSWERED_BY_REST)):
            self._awaits_rest, self._is_resting, self._is_resumed_early = True, False, False
        self._is_stopping = isinstance(command, Stop)
        return command
