"""Viewers of a race whose lanes join, are forked and leave."""

import asyncio

import numpy as np
import pytest

from dashboard.session import follow
from dashboard.session.follow import Follower
from tests.dashboard.fake_race import JOINED, Race
from tests.dashboard.fake_reader import ListReader
from tests.dashboard.stream.test_follow import RUN, until, watch
from tests.dashboard.stream.test_frames import decoded


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FASTEST_S", 0.01)
    monkeypatch.setattr(follow, "SLOWEST_S", 0.02)


class RaceScreen:
    """What a browser would have of a race: all series, whatever lanes join."""

    def __init__(self) -> None:
        self.losses: list[np.ndarray] = []
        self.epochs: dict[int, np.ndarray] = {}
        self.repeats = 1
        self.types: list[str] = []
        self.n_bytes = 0

    def take(self, message: bytes) -> None:
        self.n_bytes += len(message)
        for header, arrays in decoded(message):
            self.types.append(header["type"])
            getattr(self, f"take_{header['type']}", lambda *_: None)(header, arrays)

    def take_hello(self, header: dict, _: dict) -> None:
        """Make room for lanes that joined: with the past of the source of a fork, else NaN."""
        self.repeats = header["repeats"]
        n_old, n = len(self.losses), len(header["series"])
        for first in range(n_old, n, self.repeats):
            source = header["lanes"][first // self.repeats]["source"]
            is_fork = n_old > 0 and source is not None and source >= 0
            for k in range(self.repeats):
                past = self.losses[source * self.repeats + k] if is_fork else self.losses[0] * np.nan if n_old else np.zeros(0)
                self.losses.append(past.copy())
            for epoch, row in self.epochs.items():
                new = row[source * self.repeats :][: self.repeats] if is_fork else np.full(self.repeats, np.nan)
                self.epochs[epoch] = np.append(row, new)

    def take_steps(self, header: dict, arrays: dict) -> None:
        assert header["first_step"] == len(self.losses[0]) + 1
        self.losses = [np.append(old, new) for old, new in zip(self.losses, arrays["losses"], strict=True)]

    def take_epochs(self, _: dict, arrays: dict) -> None:
        self.epochs |= {epoch: arrays["validation_loss"][:, i].copy() for i, epoch in enumerate(arrays["epoch"].tolist())}

    def take_past(self, header: dict, arrays: dict) -> None:
        first = header["lane"] * self.repeats
        for r in range(self.repeats):
            at = header["first_step"] - 1
            self.losses[first + r][at : at + header["n"]] = arrays["losses"][r]
        for i, epoch in enumerate(arrays.get("epoch", np.zeros(0)).tolist()):
            self.epochs[epoch][first : first + self.repeats] = arrays["validation_loss"][:, i]


def assert_same(screen: RaceScreen, follower: Follower) -> None:
    np.testing.assert_array_equal(np.array(screen.losses, np.float32), np.array(follower.history.losses, np.float32))
    row = next(row for row in follower.history.epochs if row.epoch == 2)
    np.testing.assert_array_equal(screen.epochs[2], np.array(row.validation_loss, np.float32))


@pytest.mark.parametrize("pause", [100, JOINED, 37])
def test_viewers_before_and_after_a_lane_joins_see_the_same(pause: int) -> None:
    """One from the start, one that left and came back with a cursor, one that came late; lanes also leave and are forked."""
    race = Race(1_000)

    async def scene() -> tuple[Follower, list[RaceScreen]]:
        reader = ListReader(*race.start())
        follower, early, back, late = Follower(RUN, reader), RaceScreen(), RaceScreen(), RaceScreen()
        watching = [asyncio.create_task(watch(follower, screen)) for screen in (early, back)]
        for done in range(0, 1_000, pause):
            end = min(1_000, done + pause)
            reader.put(*race.between(done, end))
            await until(lambda end=end: len(early.losses) > 0 and len(early.losses[0]) == end)
            if end >= 400 and len(watching) == 2:  # before a lane joins
                await until(lambda end=end: len(back.losses[0]) == end)
                watching.pop().cancel()
        reader.set(state="finished")
        watching.append(asyncio.create_task(watch(follower, back, since=len(back.losses[0]), generation=0)))
        watching.append(asyncio.create_task(watch(follower, late)))
        await asyncio.wait_for(asyncio.gather(*watching), 10)
        return follower, [early, back, late]

    follower, screens = asyncio.run(scene())
    assert follower.history.lanes == race.lanes
    for screen in screens:
        assert "reset" not in screen.types
        assert_same(screen, follower)


def test_what_a_catching_up_lane_costs_is_what_it_says() -> None:
    """The curves of the others are not sent again."""
    race = Race(1_000)

    async def scene() -> tuple[int, int]:
        reader = ListReader(*race.start(), *race.between(0, JOINED - 1))
        follower, screen = Follower(RUN, reader), RaceScreen()
        watching = asyncio.create_task(watch(follower, screen))
        await until(lambda: len(screen.losses) > 0 and len(screen.losses[0]) == JOINED - 1)
        whole = screen.n_bytes
        reader.put(*race.between(JOINED - 1, JOINED))
        await until(lambda: len(screen.losses) == 28 and np.isfinite(screen.losses[27]).all())
        added = screen.n_bytes - whole
        reader.set(state="finished")
        await watching
        return whole, added

    whole, added = asyncio.run(scene())
    surfaces = 6 * 2_700
    assert added - surfaces < 0.45 * (whole - surfaces)
