"""A Menu of tiny jobs without torch, whose every number is known beforehand."""

import json
import os
import resource
import signal
import time
from collections.abc import Callable, Generator, Sequence
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from core.errors import TrainingError
from core.events import (
    Artifact,
    Command,
    Event,
    Finished,
    HyperChanged,
    Pause,
    Paused,
    SetHyper,
    Started,
    Step,
    StepsDone,
    Stop,
)
from core.jobs.job import Desk, Job, Stream
from core.spec import on_menu

T = TypeVar("T")
Says = Generator[Event | Artifact, Command | None, T]
START_LR = 0.5
MODULUS = 2**31 - 1


def _refuse() -> None:
    raise TrainingError("The loss became infinite.", hint="Try a smaller learning rate.")


def _bug() -> None:
    raise KeyError("canary of the traceback")


def _lose_the_gpu() -> None:
    raise RuntimeError("CUDA error: an illegal memory access was encountered\nCompile with `TORCH_USE_CUDA_DSA`.")


def _fill_the_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _die_in_the_midst_of_the_next_checkpoint() -> None:
    os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)


TROUBLES: dict[str, Callable[[], object]] = {
    "none": lambda: None,
    "hang": lambda: time.sleep(1000),
    "memory": lambda: bytearray(8 * 2**30),
    "refuse": _refuse,
    "bug": _bug,
    "exit": lambda: os._exit(3),
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "cuda": _lose_the_gpu,
    "disk": _fill_the_disk,
    "die-saving": _die_in_the_midst_of_the_next_checkpoint,
}


class Count(Job):
    """Trains nothing: a linear congruence stands for the weights, and the loss is it times the learning rate."""

    kind: Literal["count"] = "count"
    lane: ClassVar[Literal["training", "lens"]] = "training"
    label: ClassVar[str] = "Count"
    seed: int = 1
    steps: int = Field(50, ge=1)
    step_s: float = Field(0.0, ge=0)
    checkpoint_every: int = Field(10, ge=0)
    """0: never."""
    trouble: Literal["none", "hang", "memory", "refuse", "bug", "exit", "cuda", "disk", "crash", "die-saving"] = "none"
    trouble_at: int = 5
    mended: str = ""
    """Once there is a file of this name, there is no more trouble."""

    def check_command(self, command: Command, made: Sequence[Event] = ()) -> None:
        """Takes all of them."""

    def stream(self, desk: Desk) -> Stream:
        state = {"step": 0, "value": self.seed, "lr": START_LR}
        if desk.resume is not None:
            state = json.loads(desk.resume)
        replay = list(desk.replay)
        command = yield _started(int(state["step"]))
        while state["step"] < self.steps:
            order = yield from self._obey(command, state)
            if isinstance(order, Stop):
                return
            n = order.n if order else 1
            losses = yield from self._advance(state, n, replay)
            first = int(state["step"]) - n + 1
            command = yield StepsDone(first, 0, (tuple(losses),), (float(state["lr"]),), 0.0)
            if self.checkpoint_every and state["step"] % self.checkpoint_every == 0 and command is None:
                command = yield _checkpoint(state)
            if order:
                while isinstance(command, SetHyper):
                    command = yield _change(state, command)
                command = command or Pause()
        yield Finished("completed", int(state["step"]), 0.0)

    def _advance(self, state: dict[str, float], n: int, replay: list[tuple[int, SetHyper]]) -> Says[list[float]]:
        losses = []
        for _ in range(n):
            while replay and replay[0][0] == state["step"]:
                yield _change(state, replay.pop(0)[1])
            self._trouble(int(state["step"]) + 1)
            state["value"] = int(state["value"]) * 48271 % MODULUS
            state["step"] += 1
            losses.append(state["value"] / MODULUS * state["lr"])
            time.sleep(self.step_s)
        return losses

    def _obey(self, command: Command | None, state: dict[str, float]) -> Says[Step | Stop | None]:
        """Answer commands until there are steps to do, or the stream has ended."""
        while isinstance(command, (SetHyper, Pause)):
            command = yield (_change(state, command) if isinstance(command, SetHyper) else Paused(int(state["step"])))
        if isinstance(command, Stop):
            yield _checkpoint(state)
            yield Finished("stopped", int(state["step"]), 0.0)
        return command

    def _trouble(self, step: int) -> None:
        if step != self.trouble_at or (self.mended and os.path.exists(self.mended)):
            return
        TROUBLES[self.trouble]()


class Ask(Job):
    """A lens job: counts to `total` with progress and saves a result."""

    kind: Literal["ask"] = "ask"
    lane: ClassVar[Literal["training", "lens"]] = "lens"
    has_lasting_answer: ClassVar[bool] = True
    label: ClassVar[str] = "Ask"
    question: str = ""
    total: int = 3
    unit_s: float = 0.0
    fails: bool = False
    breaks_gpu: bool = False

    def stream(self, desk: Desk) -> Stream:
        yield Started(0, 0, 0, 0, 0, 0, None, "cpu", (), {})
        for done in range(1, self.total + 1):
            time.sleep(self.unit_s)
            desk.progress(done, self.total)
        if self.breaks_gpu:
            _lose_the_gpu()
        if self.fails:
            raise TrainingError("No answer.", hint="Ask something else.")
        yield Artifact("answer", "result", 0, self.question.upper().encode())
        yield Finished("completed", 0, 0.0)


AnyJob = Annotated[Count | Ask, on_menu()]


def curve(seed: int, steps: int, changes: dict[int, float] | None = None) -> list[float]:
    """The losses of `Count`, worked out without it. `changes`: learning rate from the step after this one on."""
    losses, value, lr = [], seed, START_LR
    for step in range(steps):
        lr = (changes or {}).get(step, lr)
        value = value * 48271 % MODULUS
        losses.append(value / MODULUS * lr)
    return losses


def _started(step: int) -> Started:
    return Started(step, 1, 1, 1, 0, 1, None, "cpu", ("lane 1",), {"python": "demo"})


def _checkpoint(state: dict[str, float]) -> Artifact:
    return Artifact(f"checkpoint-{int(state['step']):06d}", "checkpoint", int(state["step"]), json.dumps(state).encode())


def _change(state: dict[str, float], command: SetHyper) -> HyperChanged:
    old, state["lr"] = state["lr"], command.value
    return HyperChanged(int(state["step"]), command.lane, command.name, old, command.value)
