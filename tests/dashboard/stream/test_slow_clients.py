"""Viewers that do not read, vanish, come in thousands, or shout: the others are served as if they were not there."""

import asyncio
import gc
import tracemalloc
import weakref
from contextlib import aclosing

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.events import Finished
from dashboard.session import follow
from dashboard.session.follow import Follower, FollowerHub
from dashboard.session.hub import MAX_IDLE
from dashboard.stream import live_route
from tests.dashboard.fake_reader import ListReader, started, steps
from tests.dashboard.stream.test_follow import Screen, until, watch

RUN = "run-00000001"
ADDRESS = f"/api/runs/{RUN}/live"


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FASTEST_S", 0.01)
    monkeypatch.setattr(follow, "SLOWEST_S", 0.02)


class Endless(ListReader):
    """A run of which every look finds 200 steps more."""

    def events(self, run, after=0, limit=10_000):
        self.put(steps(200 * (len(self.log) - 1) + 1, *[1.0] * 200))
        return super().events(run, after, limit)


class Socket:
    """Our end of one viewer's connection, as the server gives it: `send` waits while the network takes nothing."""

    def __init__(self, route, *, is_open: bool) -> None:
        self.sent: list[bytes] = []
        self.code = 0
        self.reads = asyncio.Event()
        self.left = asyncio.Event()
        if is_open:
            self.reads.set()
        scope = {
            "type": "websocket", "path": ADDRESS, "raw_path": ADDRESS.encode(), "root_path": "", "scheme": "ws",
            "query_string": b"since=0&generation=-1", "headers": [], "subprotocols": [], "path_params": {"run_id": RUN},
        }  # fmt: skip
        self.task = asyncio.create_task(route.app(scope, self.receive, self.send))
        self._is_connected = False

    async def receive(self):
        if not self._is_connected:
            self._is_connected = True
            return {"type": "websocket.connect"}
        await self.left.wait()
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message) -> None:
        if message["type"] == "websocket.send":
            await self.reads.wait()
            self.sent.append(message["bytes"])
        elif message["type"] == "websocket.close":
            self.code = message["code"]


@pytest.mark.fault(130)
def test_a_viewer_that_never_reads_delays_nobody_and_nothing_piles_up_for_it() -> None:
    async def scene() -> tuple[Socket, Socket, int]:
        reader = Endless(started())
        hub = FollowerHub(reader)
        route = live_route(lambda: hub)
        stuck, other = Socket(route, is_open=False), Socket(route, is_open=True)
        await until(lambda: len(other.sent) > 5)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        seen, at = len(other.sent), hub.get(RUN).history.step
        await until(lambda: len(other.sent) > seen + 20)
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        new_steps = hub.get(RUN).history.step - at
        assert stuck.sent == []
        stuck.reads.set()
        await until(lambda: len(stuck.sent) >= 3)
        for socket in (stuck, other):
            socket.left.set()
        await asyncio.gather(stuck.task, other.task)
        return stuck, other, grown // new_steps

    stuck, other, bytes_per_step = asyncio.run(scene())
    assert bytes_per_step < 200  # the history and the log of this test's store, once; not a message per tick and viewer
    shown, told = Screen(), Screen()
    for message in stuck.sent[:3]:
        shown.take(message)
    for message in other.sent:
        told.take(message)
    assert len(shown.losses) > len(told.losses) // 2  # when it reads again, it gets all in one go
    assert stuck.sent[1] not in other.sent


@pytest.mark.fault(131)
def test_a_viewer_that_vanishes_without_a_word_leaves_nothing_running() -> None:
    async def scene() -> set[str]:
        hub = FollowerHub(Endless(started()))
        route = live_route(lambda: hub)
        sockets = [Socket(route, is_open=i % 2 == 0) for i in range(20)]
        await until(lambda: all(socket.sent for socket in sockets[::2]))
        for socket in sockets[:10]:
            socket.left.set()
        for socket in sockets[10:]:
            socket.task.cancel()  # as the server does with a connection that broke
        await asyncio.gather(*(socket.task for socket in sockets), return_exceptions=True)
        await until(lambda: not hub.n_viewers())
        await asyncio.sleep(0.05)
        return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert asyncio.run(scene()) == set()


@pytest.mark.fault(132)
def test_a_thousand_sockets_opened_and_dropped_leave_a_handful_of_followers() -> None:
    class Many(ListReader):
        def run(self, run):
            return self.record

    made = list[weakref.ref[Follower]]()

    async def one(hub: FollowerHub, run: str) -> None:
        follower = hub.get(run)
        made.append(weakref.ref(follower))
        async with aclosing(follower.messages()) as messages:
            await anext(messages)

    async def scene() -> tuple[int, int]:
        hub = FollowerHub(Many(started(), steps(1, 2.0, 1.0)))
        for batch in range(20):
            await asyncio.gather(*(one(hub, f"run-{batch:04}-{i % 5:04}") for i in range(50)))
        hub.get(RUN)
        await asyncio.sleep(0.05)
        gc.collect()
        return hub.n_viewers(), sum(follower() is not None for follower in made)

    n_viewers, n_followers = asyncio.run(scene())
    assert n_viewers == 0
    assert n_followers <= 10 * (MAX_IDLE + 1)  # ten sockets to a follower


@pytest.mark.fault(133)
@pytest.mark.parametrize("said", [b"x", bytes(8_000_000)])
def test_a_viewer_that_speaks_is_hung_up_on(said: bytes) -> None:
    hub = FollowerHub(ListReader(started()))
    client = TestClient(Starlette(routes=[live_route(lambda: hub)]))
    with client.websocket_connect(ADDRESS) as socket:
        socket.send_bytes(said)
        messages = [socket.receive()]
        while messages[-1]["type"] != "websocket.close":
            messages.append(socket.receive())
    assert messages[-1]["code"] == 1008


def test_followers_of_thirty_runs_look_as_rarely_as_one_with_thirty_viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FASTEST_S", 0.001)
    monkeypatch.setattr(follow, "SLOWEST_S", 0.1)
    monkeypatch.setattr(follow, "TICK_PER_VIEWER_S", 0.01)

    async def looks(n_others: int) -> int:
        reader = ListReader(started(), steps(1, 1.0))
        follower = Follower(RUN, reader, lambda: 1 + n_others)
        watching = asyncio.create_task(watch(follower, Screen()))
        await until(lambda: reader.n_reads > 0)
        before = reader.n_reads
        await asyncio.sleep(0.3)
        reader.put(Finished("completed", 1, 1.0))
        reader.set(state="finished")
        await watching
        return reader.n_reads - before

    alone, crowded = asyncio.run(looks(0)), asyncio.run(looks(29))
    assert crowded <= 6
    assert alone > 2 * crowded
