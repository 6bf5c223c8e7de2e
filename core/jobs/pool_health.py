"""What the supervisor tells its host of how it is doing (pool/health.py gathers it)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.logs import Said


@dataclass(frozen=True, slots=True)
class Worker:
    """A process with a run, or one that waits for one (then `run` is empty). `age_s` since it was given the run."""

    pid: int
    lane: str
    run: str
    kind: str
    owner: str
    state: str
    age_s: float
    n_bytes: int | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for a worker."""

    run: str
    kind: str
    owner: str
    waits_s: float


@dataclass(frozen=True, slots=True)
class PoolHealth:
    """All of it. The rows are those that work longest, or wait longest; the counts are of all."""

    pid: int
    up_s: float
    n_bytes: int | None
    workers: tuple[Worker, ...]
    n_workers: int
    waiting: tuple[Waiting, ...]
    n_waiting: int
    n_runs: int
    stored_bytes: int
    said: tuple[Said, ...]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> "PoolHealth":
        """From an answer of the supervisor."""
        values: dict[str, Any] = dict(answer)
        for name, part in (("workers", Worker), ("waiting", Waiting), ("said", Said)):
            values[name] = tuple(part(**one) for one in values[name])
        return cls(**values)
