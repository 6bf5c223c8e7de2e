"""The follower of a room and its socket: what viewers hear, and how little it costs."""

import asyncio
import json
from contextlib import aclosing

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.errors import StoreError
from dashboard.room_stream import room_route
from dashboard.sending import serve
from dashboard.session import room_follow
from dashboard.session.hub import MAX_IDLE
from dashboard.session.room_follow import RoomFollower, RoomHub, UnknownRoom

ROOM, OTHER = "kx7m-2qpd-9vth", "2222-3333-4444"


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch):
    monkeypatch.setattr(room_follow, "TICK_S", 0.01)
    monkeypatch.setattr(room_follow, "RETRY_S", 0.01)


class Seqs:
    """A store that knows one room. What is an error is raised once."""

    def __init__(self, seq=1):
        self.seq, self.n_reads, self.error = seq, 0, None

    def room_seq(self, room):
        self.n_reads += 1
        error, self.error = self.error, None
        if error:
            raise error
        return self.seq if room == ROOM else None


class Viewer:
    """One who listens, until cancelled."""

    def __init__(self, follower, **how):
        self.heard = []
        self.task = asyncio.create_task(self._listen(follower, how))

    async def _listen(self, follower, how):
        async with aclosing(follower.messages(**how)) as messages:
            async for message in messages:
                self.heard.append(json.loads(message))

    def newest(self, name="seq"):
        return self.heard[-1][name] if self.heard else None

    async def leave(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def until(condition):
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


def test_a_viewer_hears_the_number_at_once_and_after_each_change():
    async def scene():
        store = Seqs(3)
        viewer = Viewer(RoomFollower(ROOM, store))
        await until(lambda: viewer.newest() == 3)
        store.seq = 5
        await until(lambda: viewer.newest() == 5)
        await viewer.leave()
        return [one["seq"] for one in viewer.heard]

    assert asyncio.run(scene()) == [3, 5]


def test_thirty_viewers_ask_the_store_as_one_does_and_all_hear():
    async def scene():
        store = Seqs()
        follower = RoomFollower(ROOM, store)
        viewers = [Viewer(follower) for _ in range(30)]
        await until(lambda: all(viewer.newest() for viewer in viewers))
        before = store.n_reads
        await until(lambda: store.n_reads >= before + 5)
        n_messages = [len(viewer.heard) for viewer in viewers]
        await until(lambda: store.n_reads >= before + 10)
        assert [len(viewer.heard) for viewer in viewers] == n_messages  # idle: nothing is sent
        store.seq = 2
        await until(lambda: all(viewer.newest() == 2 for viewer in viewers))
        assert len([task for task in asyncio.all_tasks() if task.get_name().startswith("follow room")]) == 1
        for viewer in viewers:
            await viewer.leave()
        reads = store.n_reads
        await asyncio.sleep(0.05)
        return store.n_reads - reads

    assert asyncio.run(scene()) <= 1  # nobody asks when nobody watches


def test_followers_are_counted_and_the_presenter_is_not():
    async def scene():
        follower = RoomFollower(ROOM, Seqs())
        presenter = Viewer(follower, is_counted=False)
        await until(lambda: presenter.newest("followers") == 0)
        others = [Viewer(follower), Viewer(follower)]
        await until(lambda: presenter.newest("followers") == 2)
        await others[0].leave()
        await until(lambda: presenter.newest("followers") == 1)
        await others[1].leave()
        await presenter.leave()

    asyncio.run(scene())


def test_all_hear_when_the_room_is_closed_and_who_comes_later_asks_anew():
    async def scene():
        store = Seqs()
        follower = RoomFollower(ROOM, store)
        viewers = [Viewer(follower) for _ in range(5)]
        await until(lambda: all(viewer.newest() for viewer in viewers))
        store.seq = None
        ends = await asyncio.wait_for(asyncio.gather(*(one.task for one in viewers), return_exceptions=True), 3)
        assert [type(end) for end in ends] == [UnknownRoom] * 5
        store.seq = 9
        again = Viewer(follower)
        await until(lambda: again.newest() == 9)
        await again.leave()

    asyncio.run(scene())


def test_a_store_that_stumbles_is_asked_again_and_one_that_was_never_read_is_told():
    async def scene():
        store = Seqs()
        viewer = Viewer(RoomFollower(ROOM, store))
        await until(lambda: viewer.newest() == 1)
        store.error = StoreError("The disk is busy.")
        await until(lambda: store.error is None)
        store.seq = 2
        await until(lambda: viewer.newest() == 2)
        await viewer.leave()
        store.error = StoreError("The disk is gone.")
        with pytest.raises(StoreError):
            await Viewer(RoomFollower(ROOM, store)).task

    asyncio.run(scene())


@pytest.mark.fault(104)
def test_a_viewer_that_does_not_listen_delays_nobody_and_misses_nothing_but_what_is_old():
    async def scene():
        store = Seqs()
        follower = RoomFollower(ROOM, store)
        quick = Viewer(follower)
        async with aclosing(follower.messages()) as slow:
            await anext(slow)
            for seq in range(2, 30):
                store.seq = seq
                await until(lambda seq=seq: quick.newest() == seq)
            newest = json.loads(await anext(slow))
        await quick.leave()
        return newest["seq"]

    assert asyncio.run(scene()) == 29


def test_a_hub_keeps_few_followers_that_nobody_watches():
    hub = RoomHub(Seqs())
    assert hub.get(ROOM) is hub.get(ROOM)
    for n in range(100):
        hub.get(f"guess {n}")
    assert len(hub._followers) <= MAX_IDLE + 1


def client(store):
    hub = RoomHub(store)
    return TestClient(Starlette(routes=[room_route(lambda: hub)]))


def test_the_socket_tells_the_number_and_that_the_room_is_closed():
    store = Seqs(7)
    with client(store).websocket_connect(f"/api/rooms/{ROOM}/live") as socket:
        assert socket.receive_json() == {"seq": 7, "followers": 1, "server": room_follow.SERVER}
        store.seq = 8
        assert socket.receive_json()["seq"] == 8
        store.seq = None
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 4404


@pytest.mark.fault(100)
@pytest.mark.parametrize("room", [OTHER, "x", ROOM.upper(), "%3Cscript%3E", ROOM + "%00", "a" * 4000])
def test_a_guessed_room_is_closed_with_4404_and_what_is_no_id_asks_no_store(room):
    store = Seqs()
    with client(store).websocket_connect(f"/api/rooms/{room}/live") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 4404
    assert store.n_reads == (room == OTHER)


@pytest.mark.fault(101)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://testserver.evil.example", "http://testserver:81"])
def test_another_page_hears_nothing_of_a_room(origin):
    store = Seqs()
    with pytest.raises(WebSocketDisconnect) as refused:
        client(store).websocket_connect(f"/api/rooms/{ROOM}/live", headers={"origin": origin}).__enter__()
    assert (refused.value.code, store.n_reads) == (1008, 0)


def test_our_own_page_is_welcome():
    headers, store = {"origin": "http://testserver"}, Seqs()
    with client(store).websocket_connect(f"/api/rooms/{ROOM}/live?part=present", headers=headers) as socket:
        assert socket.receive_json()["followers"] == 0
        store.seq = None
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


@pytest.mark.fault(133)
def test_a_follower_that_speaks_is_hung_up_on():
    with client(Seqs()).websocket_connect(f"/api/rooms/{ROOM}/live") as socket:
        socket.send_text("x" * 100_000)
        messages = [socket.receive()]
        while messages[-1]["type"] != "websocket.close":
            messages.append(socket.receive())
    assert messages[-1]["code"] == 1008


@pytest.mark.parametrize(("error", "code"), [(StoreError("gone"), 4503), (KeyError("a bug"), 1011)])
def test_what_goes_wrong_closes_the_socket_with_its_code(error, code):
    store = Seqs()
    store.error = error
    with (
        client(store).websocket_connect(f"/api/rooms/{ROOM}/live") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert closed.value.code == code


@pytest.mark.fault(104)
def test_a_viewer_that_takes_nothing_is_hung_up_on():
    class Stuck:
        codes = []

        async def send_text(self, text):
            await asyncio.sleep(60)

        async def receive(self):
            await asyncio.sleep(60)

        async def close(self, code):
            self.codes.append(code)

    async def scene():
        follower = RoomFollower(ROOM, Seqs())
        await asyncio.wait_for(serve(Stuck(), follower.messages(), "A room", patience_s=0.02), 3)
        return follower.n_viewers

    assert asyncio.run(scene()) == 0
    assert Stuck.codes == [1011]
