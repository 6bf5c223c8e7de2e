"""A visitor's live curves without a browser: the frames of a run's WebSocket, and whether each point came exactly once."""

import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ALIGN = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of dashboard/session/frames.py."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]


def frames_in(message: bytes) -> Iterator[Frame]:
    """The frames of one message, in order."""
    at = 0
    while at < len(message):
        length = int.from_bytes(message[at : at + 4], "little")
        header = json.loads(message[at + 4 : at + 4 + length])
        at += _padded(4 + length)
        arrays = {}
        for item in header["arrays"]:
            n = math.prod(item["shape"])
            data = np.frombuffer(message, np.dtype(item["dtype"]).newbyteorder("<"), n, at)
            arrays[item["name"]] = data.reshape(item["shape"])
            at += _padded(data.nbytes)
        yield Frame(header, arrays)


def _padded(n: int) -> int:
    return -(-n // ALIGN) * ALIGN


@dataclass
class Received:
    """What has come to one viewer of one run."""

    generation: int = -1
    losses: list[float] = field(default_factory=list)
    """Of the first series: the loss of step `i + 1` at `i`."""
    n_wrong: int = 0
    """Points that came twice, or after a gap: each counts as lost."""
    updates: list[tuple[float, int]] = field(default_factory=list)
    """When (time.monotonic) a message with new steps came, and the last step that was known then."""
    marks: list[dict[str, Any]] = field(default_factory=list)
    """Changes by hand that hold, as the server told them last."""
    n_findings: int = 0
    state: str = ""
    n_bytes: int = 0

    @property
    def step(self) -> int:
        return len(self.losses)

    @property
    def n_told(self) -> int:
        """Changes by hand and findings: with more of them the curves let the page run again."""
        return len(self.marks) + self.n_findings

    def begin_again(self) -> None:
        """A viewer that comes back without saying what it has gets everything from the start."""
        self.losses.clear()
        self.marks, self.n_findings = [], 0

    def take(self, message: bytes) -> None:
        """Take in one message."""
        self.n_bytes += len(message)
        before = self.step
        for frame in frames_in(message):
            self._take(frame)
        if self.step > before:
            self.updates.append((time.monotonic(), self.step))

    def step_at(self, when: float) -> int:
        """The last step that was known at a time."""
        return next((step for at, step in reversed(self.updates) if at <= when), 0)

    def rate(self, begin: float, end: float) -> float:
        """Updates per second between two times."""
        return sum(begin <= at < end for at, _ in self.updates) / (end - begin)

    def _take(self, frame: Frame) -> None:
        header = frame.header
        match header["type"]:
            case "reset":
                self.generation = header["generation"]
                self.begin_again()
            case "hello":
                self.generation = header["generation"]
            case "steps":
                self._add(header["first_step"], frame.arrays["losses"][0])
            case "marks":
                self.marks = header["items"]
            case "findings":
                self.n_findings = len(header["items"])
            case "status":
                self.state = header["state"]

    def _add(self, first: int, losses: np.ndarray) -> None:
        if first != self.step + 1:
            self.n_wrong += abs(first - 1 - self.step)
            del self.losses[first - 1 :]
            self.losses += [math.nan] * (first - 1 - self.step)
        self.losses += losses.tolist()


def lost_points(stored: Sequence[float], received: Received) -> int:
    """Points of the store that a viewer does not have, or has otherwise, or got twice or out of order."""
    want, have = (np.array(values, np.float32) for values in (stored, received.losses))
    n = min(len(want), len(have))
    n_different = int((~((want[:n] == have[:n]) | (np.isnan(want[:n]) & np.isnan(have[:n])))).sum())
    return n_different + abs(len(want) - len(have)) + received.n_wrong
