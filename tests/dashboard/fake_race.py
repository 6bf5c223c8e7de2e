"""A race of six lanes with four seeds each, by formula: a lane joins, one is forked, one leaves, numbers are changed."""

import math
from collections.abc import Iterator

from core.events import (
    Diagnosed,
    EpochDone,
    Event,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    OptimizerSwapped,
    Planned,
    Started,
    StepMeasured,
    StepsDone,
    SurfaceMeasured,
)

LANES = (
    "SGD, lr 0.1",
    "SGD with momentum, lr 0.05",
    "RMSprop, lr 0.001",
    "Adam, lr 0.001",
    "AdamW, lr 0.001",
    "Lion, lr 0.0003",
)
REPEATS = 4
PER_EPOCH = 100
CHANGED, SWAPPED, JOINED, FORKED, REMOVED = 250, 350, 450, 550, 650
SIDE = 50
NAN = math.nan


class Race:
    """Events of a race between two steps, in order. `n_lanes` and `repeats` make it larger or smaller."""

    def __init__(self, total_steps: int, n_lanes: int = 6, repeats: int = REPEATS, rate: int = 400, *, is_plain: bool = False):
        self.total_steps, self.repeats, self.rate = total_steps, repeats, rate
        self.lanes = [LANES[k] if k < len(LANES) else f"Adam, lr {0.0001 * (k + 1):.4f}" for k in range(n_lanes)]
        self.removed: set[int] = set()
        self.script = {} if is_plain else {
            CHANGED: self._changed, SWAPPED: self._swapped, JOINED: self._joined, FORKED: self._forked, REMOVED: self._removed,
        }  # fmt: skip

    def names(self, lane: int) -> tuple[str, ...]:
        return tuple(f"{self.lanes[lane]}, seed {repeat + 1}" for repeat in range(self.repeats))

    def start(self) -> Iterator[Event]:
        lanes = range(len(self.lanes))
        series = tuple(name for lane in lanes for name in self.names(lane))
        yield Started(
            0, 8_450, 6_400, 800, 800, PER_EPOCH, self.total_steps, "cpu", series, {}, tuple(self.lanes), self.repeats
        )
        yield Planned(0, ("batched",) * len(series), "6 lanes of the same model fit one batched step: 3.1 times faster.")

    def between(self, done: int, wanted: int) -> Iterator[Event]:
        """What happens after step `done` until step `wanted`."""
        while done < wanted:
            stops = [step for step in self.script if done < step < wanted]
            end = min([wanted, done // PER_EPOCH * PER_EPOCH + PER_EPOCH, *stops])
            yield from self._steps(done, end)
            if end in self.script:
                yield from self.script[end](end)
            done = end

    def end(self) -> Event:
        loss = tuple(self.loss(self.total_steps, lane, repeat) for lane, repeat in self._series())
        return Finished(
            "completed", self.total_steps, self.total_steps / self.rate, loss, tuple(1 - value / 3 for value in loss)
        )

    def loss(self, step: int, lane: int, repeat: int) -> float:
        if lane in self.removed:
            return NAN
        seed = 0.12 * math.sin(5.1 * repeat + lane) * math.exp(-step * _speed(lane) / 3)
        noise = 0.12 * math.sin(step * 12.9898 + 7 * lane + repeat) ** 2
        return 2.2 * math.exp(-step * _speed(lane)) + 0.08 + 0.05 * (lane % 5) + seed + noise

    def held(self, step: int, lane: int, repeat: int) -> float:
        over = max(0.0, step - 900) / 9000 if lane % 3 == 1 else 0.0  # this one over-fits
        seed = 0.04 * math.sin(3 * repeat + lane + step / 130)
        return 2.2 * math.exp(-step * _speed(lane)) + 0.2 + 0.05 * (lane % 5) + seed + over

    def _series(self) -> list[tuple[int, int]]:
        return [(lane, repeat) for lane in range(len(self.lanes)) for repeat in range(self.repeats)]

    def _steps(self, done: int, end: int) -> Iterator[Event]:
        series = self._series()
        losses = tuple(tuple(self.loss(step, *one) for step in range(done + 1, end + 1)) for one in series)
        rates = tuple(0.1 / (lane + 1) * 0.5 * (1 + math.cos(math.pi * end / self.total_steps)) for lane, _ in series)
        yield StepsDone(done + 1, done // PER_EPOCH + 1, losses, rates, end / self.rate)
        gradient = tuple(NAN if lane in self.removed else 2 * math.exp(-end / 2000) / (lane + 1) for lane, _ in series)
        update = tuple(0.01 * (1 + lane) + 0.002 * repeat for lane, repeat in series)
        score = tuple(1 - self.held(end, *one) / 2.6 for one in series)
        yield StepMeasured(end, gradient, tuple(10.0 + lane + end / 1000 for lane, _ in series), score, update)
        if end % PER_EPOCH == 0:
            held = tuple(NAN if one[0] in self.removed else self.held(end, *one) for one in series)
            train = tuple(value - 0.08 for value in held)
            yield EpochDone(end // PER_EPOCH, end, train, _scores(train), held, _scores(held), end / self.rate)
        for lane in range(len(self.lanes)):
            yield surface(end, lane * self.repeats, lane)

    def _changed(self, step: int) -> Iterator[Event]:
        yield HyperChanged(step, 0, "lr", 0.1, 0.05)
        yield Diagnosed(step, 0, "lr-high", "warning", "The loss jumps.", "Lower the learning rate.", "2 Linear", "Halve it")

    def _swapped(self, step: int) -> Iterator[Event]:
        yield OptimizerSwapped(step, 1, '{"kind": "SGD"}', '{"kind": "Adam"}')

    def _joined(self, step: int) -> Iterator[Event]:
        lane = len(self.lanes)
        self.lanes.append("NAdam, lr 0.002")
        yield LaneAdded(step, lane, -1, "{}", self.lanes[lane], self.names(lane))
        for first in range(1, step + 1, PER_EPOCH):
            last = min(step, first + PER_EPOCH - 1)
            repeats = range(self.repeats)
            yield LaneStepsDone(
                lane, first, tuple(tuple(self.loss(s, lane, r) for s in range(first, last + 1)) for r in repeats)
            )
            if last % PER_EPOCH == 0:
                held = tuple(self.held(last, lane, r) for r in repeats)
                train = tuple(value - 0.08 for value in held)
                yield LaneEpochDone(lane, last // PER_EPOCH, last, train, _scores(train), held, _scores(held))

    def _forked(self, step: int) -> Iterator[Event]:
        lane = len(self.lanes)
        self.lanes.append("Adam, lr 0.0005")
        yield LaneAdded(step, lane, 3, "{}", self.lanes[lane], self.names(lane))

    def _removed(self, step: int) -> Iterator[Event]:
        self.removed.add(2)
        yield LaneRemoved(step, 2)


def _scores(losses: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(1 - loss / 2.6 for loss in losses)


def _speed(lane: int) -> float:
    return 1 / (1500 - 180 * (lane % 7))


def surface(step: int, series: int = 0, turn: float = 0.0) -> SurfaceMeasured:
    """A spiral that turns with the steps."""
    grid = [-6 + 12 * k / (SIDE - 1) for k in range(SIDE)]
    angle = step / 150 + turn
    values = bytes(
        round(255 / (1 + math.exp(-3 * math.sin(math.atan2(y, x) + math.hypot(x, y) - angle)))) for y in grid for x in grid
    )
    return SurfaceMeasured(step=step, series=series, side=SIDE, span=6.0, values=values)
