"""A forked child that trains some series: how both ends of its pipe speak, and what the child does.

The child has everything as it was at the fork: data, executors, weights. Weights and buffers come back through shared memory,
losses and measures through the pipe, optimizer states when they are asked for.
"""

import ctypes
import io
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from core.errors import LayerwiseError, TrainingError
from core.experiment.lane import Lane
from core.training.executors.executor import BatchSource, Executor, Measures, Series

PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Condition:
    """What the parent knows of a series: whether it is trained, its plateau, and whether its weights were set from outside."""

    is_removed: bool
    plateau_factor: float
    has_new_weights: bool


@dataclass(frozen=True, slots=True)
class MakeSteps:
    """As Executor.steps, for the series in the child's order."""

    first: int
    n: int
    is_measured: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class StepsMade:
    """`rows` per step, `died_at` and `measures` per series."""

    rows: list[tuple[float, ...]]
    died_at: tuple[int, ...]
    measures: tuple[Measures, ...]


@dataclass(frozen=True, slots=True)
class GiveState:
    """Ask for the optimizer state of a series; the answer is `packed`."""

    place: int


@dataclass(frozen=True, slots=True)
class TakeState:
    """The optimizer state of a series, whose weights are in the shared memory."""

    place: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Retune:
    """As Executor.retune."""

    place: int
    lane: Lane


Message = MakeSteps | GiveState | TakeState | Retune


@dataclass(slots=True)
class Mirror:
    """Weights and buffers of one series in shared memory, as the parent sees them."""

    tensors: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, series: Series) -> "Mirror":
        """Copies of all that is in its models now."""
        copies = [tensor.detach().clone() for _, _, tensor in _tensors(series)]
        for copy in copies:
            copy.share_memory_()  # type: ignore[no-untyped-call]
        return cls(copies)

    @torch.no_grad()
    def show(self, series: Series) -> None:
        """In the child: what its models are now."""
        for mirror, (_, _, tensor) in zip(self.tensors, _tensors(series), strict=True):
            mirror.copy_(tensor)

    @torch.no_grad()
    def take(self, series: Series) -> None:
        """In the child: set its models to what the parent has put here."""
        for mirror, (_, _, tensor) in zip(self.tensors, _tensors(series), strict=True):
            tensor.copy_(mirror)

    def adopt(self, series: Series) -> None:
        """In the parent: let its models be views of this memory."""
        for mirror, (owner, name, tensor) in zip(self.tensors, _tensors(series), strict=True):
            if isinstance(tensor, nn.Parameter):
                tensor.data = mirror
                tensor.grad = None
            else:
                setattr(owner, name, mirror)


def _version(series: Series) -> int:
    """Another number whenever this process has written into the models."""
    return sum(tensor._version for _, _, tensor in _tensors(series))


def _tensors(series: Series) -> list[tuple[nn.Module, str, Tensor]]:
    models = [series.model] if series.average is None else [series.model, series.average]
    return [
        (module, name, tensor)
        for model in models
        for module in model.modules()
        for name, tensor in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False))
    ]


def packed(state: dict[str, Any]) -> bytes:
    """An optimizer state as bytes, without what its tensors are views of."""
    slots = {
        index: {name: value.clone() if isinstance(value, Tensor) else value for name, value in each.items()}
        for index, each in state["state"].items()
    }
    buffer = io.BytesIO()
    torch.save(state | {"state": slots}, buffer)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, Any]:
    """The other way."""
    state: dict[str, Any] = torch.load(io.BytesIO(data), weights_only=True)
    return state


class LaneProcess:
    """The parent's end. Forks at once: `executors` and `series` are from then on the child's."""

    def __init__(self, executors: Sequence[Executor], source: BatchSource, others: Sequence["LaneProcess"]) -> None:
        self.series = tuple(one for executor in executors for one in executor.series)
        self._mirrors = [Mirror.of(one) for one in self.series]
        self._pipe, end = Pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for pipe in (self._pipe, *(other._pipe for other in others)):
                pipe.close()
            _serve(end, Crew(executors, self.series, self._mirrors, source))
        end.close()
        for one, mirror in zip(self.series, self._mirrors, strict=True):
            mirror.adopt(one)
        self._versions = [_version(one) for one in self.series]

    def ask(self, message: Message) -> None:
        """Send a message; `answer` has the reply."""
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._lost() from error

    def answer(self) -> Any:
        """The reply to the message before.

        Raises:
            TrainingError: the child has failed, or is gone.
        """
        try:
            reply = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if isinstance(reply, LayerwiseError):
            raise reply
        if isinstance(reply, RuntimeError | MemoryError):
            hint = "Start the run again; with LAYERWISE_LANE_PROCESSES=1 it trains in one process."
            raise TrainingError(f"A process that trains lanes has failed: {reply}", hint=hint) from reply
        return reply

    def conditions(self) -> tuple[Condition, ...]:
        """What the child must know of its series before the next steps."""
        versions = [_version(one) for one in self.series]
        changed = [now != then for now, then in zip(versions, self._versions, strict=True)]
        self._versions = versions
        return tuple(Condition(one.is_removed, one.plateau_factor, new) for one, new in zip(self.series, changed, strict=True))

    def end(self) -> None:
        """Stop the child, whatever it does."""
        self._pipe.close()
        if self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass  # it was gone, and somebody has asked for its status already
            self.pid = 0

    def _lost(self) -> TrainingError:
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self.pid = 0
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with code {status}"
        return TrainingError(
            f"A process that trained {len(self.series)} of the networks {how}.",
            hint="Memory may have run out: go on from the last checkpoint with fewer lanes, or set LAYERWISE_LANE_PROCESSES=1.",
        )


class Crew:
    """The child's end: its executors, and what it does for each message."""

    def __init__(
        self, executors: Sequence[Executor], series: Sequence[Series], mirrors: Sequence[Mirror], source: BatchSource
    ) -> None:
        self.executors = executors
        self.series = series
        self.mirrors = mirrors
        self.source = source

    def reply(self, message: Message) -> Any:
        """What the parent gets."""
        match message:
            case MakeSteps():
                return self._steps(message)
            case GiveState(place):
                return packed(self._executor(place).optimizer_state(self.series[place]))
            case TakeState(place, state):
                self.mirrors[place].take(self.series[place])
                self._executor(place).load_optimizer_state(self.series[place], unpacked(state))
            case Retune(place, lane):
                self.series[place].lane = lane
                self._executor(place).retune(self.series[place])
        return None

    def _executor(self, place: int) -> Executor:
        return next(executor for executor in self.executors if self.series[place] in executor.series)

    def _steps(self, message: MakeSteps) -> StepsMade:
        for one, mirror, condition in zip(self.series, self.mirrors, message.conditions, strict=True):
            one.is_removed, one.plateau_factor = condition.is_removed, condition.plateau_factor
            if condition.has_new_weights:
                mirror.take(one)
        rows = merged_steps(self.executors, self.source, message.first, message.n, is_measured=message.is_measured)
        for one, mirror in zip(self.series, self.mirrors, strict=True):
            if one.is_alive or one.died_at >= message.first:
                mirror.show(one)
        measures = [found for executor in self.executors for found in executor.measures()] if message.is_measured else []
        return StepsMade(rows, tuple(one.died_at for one in self.series), tuple(measures))


def merged_steps(
    executors: Sequence[Executor], source: BatchSource, first: int, n: int, *, is_measured: bool
) -> list[tuple[float, ...]]:
    """The losses of several executors side by side; step by step where there is more than one, so that they share batches."""
    if len(executors) == 1:
        return executors[0].steps(source, first, n, is_measured=is_measured)
    rows = []
    for number in range(first, first + n):
        last = is_measured and number == first + n - 1
        rows.append(sum((executor.steps(source, number, 1, is_measured=last)[0] for executor in executors), ()))
    return rows


def _serve(pipe: Connection, crew: Crew) -> NoReturn:
    """Answer until the parent is gone. Nothing of the parent is run at the end: no handlers, no flushing of its streams."""
    code = 1
    try:
        _die_with_parent()
        while True:
            message = pipe.recv()
            try:
                pipe.send(crew.reply(message))
            except (LayerwiseError, RuntimeError, MemoryError) as error:
                pipe.send(error if isinstance(error, LayerwiseError) else RuntimeError(str(error)))
    except (EOFError, OSError):
        code = 0
    finally:
        os._exit(code)


def _die_with_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
