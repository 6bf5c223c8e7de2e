"""A store for tests of the live front: a list of events in memory, or a run that grows by the clock."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

from core.events import (
    EpochDone,
    Event,
    Failed,
    Finished,
    HyperChanged,
    Started,
    StepMeasured,
    StepsDone,
)
from core.store.protocol import LoggedEvent, RunRecord
from tests.dashboard.fake_race import Race, surface


def record(run: str = "run-00000001", state: str = "running") -> RunRecord:
    return RunRecord(
        id=run, kind="train", owner="", name="test", state=state, reason="", job="{}", key="", attempt=1, generation=0,
        last_seq=0, last_step=0, created=0.0, started=0.0, finished=None,
    )  # fmt: skip


def started(series: tuple[str, ...] = ("SGD",), total_steps: int | None = 1000) -> Started:
    return Started(
        step=0, n_parameters=33, n_train=1000, n_validation=200, n_test=200, steps_per_epoch=100, total_steps=total_steps,
        device="cpu", series=series, fingerprint={},
    )  # fmt: skip


def steps(first: int, *losses: float, n_series: int = 1) -> StepsDone:
    rows = tuple(tuple(loss + k for loss in losses) for k in range(n_series))
    return StepsDone(
        first_step=first, epoch=0, losses=rows, learning_rates=(0.1,) * n_series, elapsed_s=(first + len(losses)) / 500
    )


class ListReader:
    """One run whose events a test puts in; counts the calls."""

    def __init__(self, *events: Event, state: str = "running") -> None:
        self.record: RunRecord | None = record(state=state)
        self.log: list[LoggedEvent] = []
        self.n_reads = 0
        self.put(*events)

    def put(self, *events: Event) -> None:
        self.log += [LoggedEvent(len(self.log) + 1 + i, event) for i, event in enumerate(events)]

    def set(self, **columns: object) -> None:
        self.record = replace(self.record, **columns)

    def rewind(self, seq: int) -> None:
        self.log = self.log[:seq]
        self.set(generation=self.record.generation + 1)

    def run(self, run: str) -> RunRecord | None:
        return self.record if self.record is not None and run == self.record.id else None

    def events(self, run: str, after: int = 0, limit: int = 10_000) -> tuple[LoggedEvent, ...]:
        self.n_reads += 1
        return tuple(self.log[after : after + limit])

    def queue_position(self, run: str) -> int | None:
        return 2


class ClockReader:
    """Runs that start when they are first asked for and do 400 steps a second. A run named fail... fails after a second.

    race... is a race, race-done... one that is over at once, race-wide... one of eight lanes, race-huge... one of 32 lanes
    with 16 seeds each, over at once, race-seeds... one lane with four seeds; in these nothing is changed.
    """

    RATE = 400
    PER_EPOCH = 200

    def __init__(self, total_steps: int = 40_000) -> None:
        self.total_steps = total_steps
        self.runs_seen: dict[str, tuple[float, ListReader]] = {}
        self.races: dict[str, Race] = {}

    def run(self, run: str) -> RunRecord | None:
        if run.startswith("unknown"):
            return None
        if run not in self.runs_seen:
            reader = ListReader(replace(started(total_steps=self.total_steps), steps_per_epoch=self.PER_EPOCH))
            reader.record = record(run)
            if run.startswith("race"):
                self.races[run] = race = self._race(run)
                reader.log.clear()
                reader.put(*race.start())
            self.runs_seen[run] = (time.monotonic(), reader)
        begun, reader = self.runs_seen[run]
        self._grow(reader, time.monotonic() - begun)
        return reader.record

    def events(self, run: str, after: int = 0, limit: int = 10_000) -> tuple[LoggedEvent, ...]:
        return self.runs_seen[run][1].events(run, after, limit)

    def queue_position(self, run: str) -> int | None:
        return None

    def _race(self, run: str) -> Race:
        match run.split("-")[1]:
            case "wide":
                return Race(self.total_steps, 8, is_plain=True)
            case "huge":
                return Race(300, 32, 16, is_plain=True)
            case "seeds":
                return Race(2_000, 1, is_plain=True)
            case "done":
                return Race(2_000)
            case _:
                return Race(self.total_steps)

    def _grow(self, reader: ListReader, seconds: float) -> None:
        done = reader.record.last_step
        race = self.races.get(reader.record.id)
        total = race.total_steps if race else self.total_steps
        wanted = total if total < self.total_steps else min(total, int(seconds * self.RATE))
        if wanted <= done or reader.record.state != "running":
            return
        if race:
            reader.put(*race.between(done, wanted))
            self._close(reader, wanted, total, race.end)
            return
        if reader.record.id.startswith("fail") and seconds > 1:
            reader.put(
                Failed(
                    "diverged",
                    f"The loss became infinite at step {done}.",
                    "Lower the learning rate, for example to 0.01.",
                    done,
                )
            )
            reader.set(state="failed")
            return
        losses = [2.3 * math.exp(-i / 4000) + 0.25 * math.sin(i * 12.9898) ** 2 for i in range(done + 1, wanted + 1)]
        reader.put(
            StepsDone(done + 1, done // self.PER_EPOCH, (tuple(losses),), (0.1 if done < 400 else 0.05,), wanted / self.RATE)
        )
        reader.put(StepMeasured(wanted, (1.0,), (10.0,), (1 - math.exp(-wanted / 3000) * (0.8 + 0.2 * math.sin(wanted)),)))
        if done < 400 <= wanted:
            reader.put(HyperChanged(wanted, 0, "learning_rate", 0.1, 0.05))
        for epoch in range(done // self.PER_EPOCH + 1, wanted // self.PER_EPOCH + 1):
            at = epoch * self.PER_EPOCH
            loss, accuracy = 2.3 * math.exp(-at / 4000) + 0.1, 1 - math.exp(-at / 3000)
            reader.put(EpochDone(epoch, at, (loss,), (accuracy,), (loss + 0.1,), (0.95 * accuracy,), at / self.RATE))
        reader.put(surface(wanted))
        self._close(reader, wanted, total, lambda: Finished("completed", wanted, seconds, (0.3,), (0.91,)))

    def _close(self, reader: ListReader, done: int, total: int, end: Callable[[], Event]) -> None:
        reader.set(last_step=done)
        if done == total:
            reader.put(end())
            reader.set(state="finished")
