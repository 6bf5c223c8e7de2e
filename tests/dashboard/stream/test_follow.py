import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from core.events import Diagnosed, EpochDone, Finished, HyperChanged, PhaseDone, StepMeasured
from dashboard.session import follow
from dashboard.session.follow import Follower, FollowerHub, UnknownRun
from dashboard.session.hub import MAX_IDLE
from dashboard.session.hurry import hurry
from tests.dashboard.fake_reader import ListReader, started, steps, surface
from tests.dashboard.stream.test_frames import decoded

RUN = "run-00000001"


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FASTEST_S", 0.01)
    monkeypatch.setattr(follow, "SLOWEST_S", 0.02)


class Screen:
    """What a browser would have after these messages."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.types: list[str] = []
        self.surface_steps: list[int] = []
        self.status: dict = {}

    def take(self, message: bytes) -> None:
        for header, arrays in decoded(message):
            self.types.append(header["type"])
            match header["type"]:
                case "reset":
                    self.losses = []
                case "steps":
                    assert header["first_step"] == len(self.losses) + 1
                    self.losses += arrays["losses"][0].tolist()
                case "surface":
                    self.surface_steps.append(header["step"])
                case "status":
                    self.status = header


async def watch(follower: Follower, screen: Screen, **cursor: int) -> Screen:
    async with aclosing(follower.messages(**cursor)) as messages:
        async for message in messages:
            screen.take(message)
    return screen


async def until(condition) -> None:
    for _ in range(300):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


def test_a_finished_run_is_sent_whole_and_then_the_stream_ends() -> None:
    reader = ListReader(started(), steps(1, 3.0, 2.0), steps(3, 1.0), Finished("completed", 3, 1.0), state="finished")
    screen = asyncio.run(watch(Follower(RUN, reader), Screen()))
    assert screen.losses == [3.0, 2.0, 1.0]
    assert screen.types[0] == "hello"
    assert screen.types[-1] == "status"
    assert screen.status["state"] == "finished"


def test_what_happens_while_a_viewer_watches_reaches_it_in_order() -> None:
    async def scene() -> Screen:
        reader, screen = ListReader(started()), Screen()
        watching = asyncio.create_task(watch(Follower(RUN, reader), screen))
        for first in range(1, 40, 2):
            reader.put(steps(first, first, first + 1))
            await asyncio.sleep(0.005)
        await until(lambda: len(screen.losses) == 40)
        reader.set(state="stopped")
        return await asyncio.wait_for(watching, 3)

    assert asyncio.run(scene()).losses == list(range(1, 41))


def test_thirty_viewers_cost_the_store_no_more_than_one() -> None:
    async def reads(n_viewers: int) -> float:
        reader = ListReader(started())
        follower = Follower(RUN, reader)
        screens = [Screen() for _ in range(n_viewers)]
        watching = [asyncio.create_task(watch(follower, screen)) for screen in screens]
        await until(lambda: all(screen.types for screen in screens))
        before = reader.n_reads
        await asyncio.sleep(0.3)
        n_reads = reader.n_reads - before
        reader.put(steps(1, 1.0, 2.0))
        reader.set(state="finished")
        await asyncio.gather(*watching)
        assert all(screen.losses == [1.0, 2.0] for screen in screens)
        return n_reads

    one, thirty = asyncio.run(reads(1)), asyncio.run(reads(30))
    assert 2 <= thirty <= one + 2


def test_viewers_at_the_same_place_share_one_encoded_message() -> None:
    async def scene() -> list[bytes]:
        reader = ListReader(started(), steps(1, 1.0), state="finished")
        follower = Follower(RUN, reader)
        return [b"".join([message async for message in follower.messages()]) for _ in range(2)]

    first, second = asyncio.run(scene())
    assert len(first) > 0
    assert first == second


def test_nobody_polls_when_nobody_watches() -> None:
    async def scene() -> tuple[int, int]:
        reader = ListReader(started())
        follower = Follower(RUN, reader)
        watching = asyncio.create_task(watch(follower, Screen()))
        await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await asyncio.sleep(0.05)
        before = reader.n_reads
        await asyncio.sleep(0.1)
        return before, reader.n_reads

    before, after = asyncio.run(scene())
    assert before > 0
    assert after == before


def test_what_came_of_an_order_is_seen_soon_however_many_watch_other_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "SLOWEST_S", 5.0)

    async def scene() -> tuple[bool, int]:
        reader, screen = ListReader(started(), steps(1, 1, 2, 3)), Screen()
        watching = asyncio.create_task(watch(Follower(RUN, reader, lambda: 10_000), screen))
        await until(lambda: len(screen.losses) == 3)
        reader.put(steps(4, 4, 5, 6))
        await asyncio.sleep(0.1)
        is_slow = len(screen.losses) == 3
        hurry("another-run")
        await asyncio.sleep(0.1)
        is_slow = is_slow and len(screen.losses) == 3
        hurry(RUN)
        await until(lambda: len(screen.losses) == 6)
        watching.cancel()
        return is_slow, len(screen.losses)

    assert asyncio.run(scene()) == (True, 6)


def test_a_rewound_log_makes_every_viewer_start_again() -> None:
    async def scene() -> Screen:
        reader, screen = ListReader(started(), steps(1, 5.0, 4.0), steps(3, 3.0, 9.9)), Screen()
        watching = asyncio.create_task(watch(Follower(RUN, reader), screen))
        await until(lambda: len(screen.losses) == 4)
        reader.rewind(2)
        reader.put(steps(3, 3.0, 2.0, 1.0))
        await until(lambda: len(screen.losses) == 5)
        reader.set(state="finished")
        return await asyncio.wait_for(watching, 3)

    screen = asyncio.run(scene())
    assert screen.losses == [5.0, 4.0, 3.0, 2.0, 1.0]
    assert "reset" in screen.types
    assert screen.types.count("hello") == 2


def test_a_log_that_is_rewound_between_two_queries_is_read_again() -> None:
    class Rewinding(ListReader):
        def events(self, run, after=0, limit=10_000):
            found = super().events(run, after, limit)
            if self.record.generation == 0:  # the rewind happens right after this query
                self.rewind(1)
                self.put(steps(1, 7.0))
                self.set(state="finished")
            return found

    screen = asyncio.run(watch(Follower(RUN, Rewinding(started(), steps(1, 1.0, 2.0))), Screen()))
    assert screen.losses == [7.0]


def test_a_returning_viewer_gets_only_what_it_missed() -> None:
    reader = ListReader(started(), steps(1, *range(100)), state="finished")

    async def scene() -> list:
        follower = Follower(RUN, reader)
        return [part async for message in follower.messages(since=60, generation=0) for part in decoded(message)]

    sent = {header["type"]: (header, arrays) for header, arrays in asyncio.run(scene())}
    header, arrays = sent["steps"]
    assert header["first_step"] == 61
    np.testing.assert_array_equal(arrays["losses"][0], np.arange(60, 100))
    assert "reset" not in sent


@pytest.mark.parametrize("cursor", [{"since": 10**6, "generation": 0}, {"since": 5, "generation": 3}, {"since": -1}])
def test_a_cursor_from_another_world_does_no_harm(cursor: dict) -> None:
    reader = ListReader(started(), steps(1, 1.0, 2.0), state="finished")

    async def scene() -> list[str]:
        return [header["type"] async for message in Follower(RUN, reader).messages(**cursor) for header, _ in decoded(message)]

    types = asyncio.run(scene())
    assert types[-1] == "status"
    assert ("reset" in types) == (cursor.get("generation") == 3)


def test_of_many_surfaces_only_the_latest_is_sent() -> None:
    reader = ListReader(started(), steps(1, 1.0), surface(1), surface(2), surface(3), state="finished")
    assert asyncio.run(watch(Follower(RUN, reader), Screen())).surface_steps == [3]


def test_epochs_measurements_and_marks_are_there() -> None:
    epoch = EpochDone(1, 2, (0.5,), (0.8,), (0.6,), (0.7,), 1.0)
    events = (
        started(),
        steps(1, 1.0, 0.5),
        StepMeasured(2, (0.1,), (9.0,), (0.75,)),
        epoch,
        HyperChanged(2, 0, "learning_rate", 0.1, 0.01),
    )
    reader = ListReader(*events, state="finished")

    async def scene() -> list:
        return [part async for message in Follower(RUN, reader).messages() for part in decoded(message)]

    parts = {header["type"]: (header, arrays) for header, arrays in asyncio.run(scene())}
    assert parts["epochs"][1]["validation_accuracy"] == pytest.approx(np.array([[0.7]]))
    assert parts["measured"][1]["gradient_norm"] == pytest.approx(np.array([[0.1]]))
    assert parts["marks"][0]["items"] == [
        {"kind": "hyper", "step": 2, "lane": 0, "name": "learning_rate", "old": 0.1, "new": 0.01}
    ]


def test_an_unknown_run_is_an_error() -> None:
    with pytest.raises(UnknownRun):
        asyncio.run(watch(Follower("another-run", ListReader()), Screen()))


def test_a_waiting_run_says_its_place_in_the_queue() -> None:
    async def scene() -> dict:
        follower = Follower(RUN, ListReader(state="queued"))
        async with aclosing(follower.messages()) as messages:
            async for message in messages:
                return decoded(message)[-1][0]
        raise AssertionError

    status = asyncio.run(scene())
    assert (status["state"], status["queue"]) == ("queued", {"place": 3, "wait_s": None, "waits_for": ""})


def test_the_hub_has_one_follower_per_run_and_forgets_the_idle_ones() -> None:
    hub = FollowerHub(ListReader())
    first = hub.get("run-a")
    assert hub.get("run-a") is first
    for i in range(MAX_IDLE + 1):
        hub.get(f"run-b{i}")
    assert hub.get("run-a") is not first


def test_phases_and_findings_are_sent_when_they_are_new() -> None:
    async def scene() -> list[str]:
        reader, screen = ListReader(started(), steps(1, 1.0)), Screen()
        watching = asyncio.create_task(watch(Follower(RUN, reader), screen))
        await until(lambda: "status" in screen.types)
        reader.put(PhaseDone(2, "forward", "text", ()))
        await until(lambda: screen.types.count("phases") == 1)
        reader.put(PhaseDone(2, "loss", "text", ()), Diagnosed(2, 0, "plateau", "info", "", ""))
        await until(lambda: screen.types.count("findings") == 1)
        reader.set(state="finished")
        return (await asyncio.wait_for(watching, 3)).types

    types = asyncio.run(scene())
    assert (types.count("phases"), types.count("findings"), types.count("hello")) == (2, 1, 1)


def test_a_patient_viewer_of_a_stopped_run_sees_it_go_on_when_it_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "REST_S", 0.02)

    async def scene() -> tuple[Screen, Screen]:
        reader = ListReader(started(), steps(1, 3.0, 2.0), steps(3, 9.0), Finished("stopped", 3, 1.0), state="stopped")
        follower, screen = Follower(RUN, reader), Screen()
        watching = asyncio.create_task(watch(follower, screen, is_patient=True))
        await until(lambda: screen.status.get("state") == "stopped")
        hasty = await asyncio.wait_for(watch(follower, Screen()), 3)
        assert not watching.done()
        reader.rewind(2)
        reader.set(state="queued")
        await until(lambda: screen.status["state"] == "queued")
        reader.put(steps(3, 1.0, 0.5), Finished("completed", 4, 1.0))
        reader.set(state="finished")
        return hasty, await asyncio.wait_for(watching, 3)

    hasty, patient = asyncio.run(scene())
    assert hasty.losses == [3.0, 2.0, 9.0]
    assert patient.losses == [3.0, 2.0, 1.0, 0.5]
    assert patient.status["state"] == "finished"
