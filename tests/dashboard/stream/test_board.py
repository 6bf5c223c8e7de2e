"""The board of a room holds what the store holds, is read once for all viewers, and sends again only what has changed."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.events import EpochDone, Finished, Started, StepsDone
from core.run_curve import thinned
from core.store.rooms import Member, Room
from dashboard.board_stream import board_route
from dashboard.session import board as boards
from dashboard.session.board import MAX_POINTS, MAX_SHOWN, Board, BoardHub, member_key, shown
from dashboard.session.room_follow import UnknownRoom
from tests.core.samples import spiral
from tests.dashboard.store_client import StoreClient
from tests.dashboard.stream.test_frames import decoded

ROOM = "abcd-efgh-jkmn"
HOSTILE = "<img src=x onerror=alert(1)>\u202e =cmd|'/c calc'!A0 {n} %{{y}}"


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch):
    monkeypatch.setattr(boards, "TICK_S", 0.01)
    monkeypatch.setattr(boards, "RETRY_S", 0.01)


@pytest.fixture
def client(home):
    home.mkdir(parents=True)
    client = StoreClient(home)
    yield client
    client.close()


def said(n_steps: int, loss: float, *, ends: bool = True) -> list:
    names = ("lane",)
    losses = (*(loss * 0.999**i for i in range(n_steps - 1)), float("nan"))
    begun = Started(0, 42, 500, 10, 10, 50, n_steps, "cpu", names, {}, names, 1)
    epochs = [EpochDone(k + 1, 50 * (k + 1), (loss,), (0.5,), (loss + k,), (0.1 * k,), 0.5 * k) for k in range(n_steps // 50)]
    return [begun, StepsDone(1, 0, (losses,), (0.1,), 2.0), *epochs, *([Finished("completed", n_steps, 2.0)] if ends else [])]


def room_of(client: StoreClient, *members: tuple[str, str]) -> None:
    """A room with members of these names and runs."""
    client._writer.begin()
    client._writer.open_room(Room(ROOM, "f" * 32, "Rates", 0, "{}", 1.0, 1.0))
    for i, (name, run) in enumerate(members):
        client._writer.put_member(Member(ROOM, f"{i:032x}", name, run, float(i)))
    client._writer.commit()


def close(client: StoreClient) -> None:
    client._writer.begin()
    client._writer.close_room(ROOM)
    client._writer.commit()


async def first(board: Board) -> bytes:
    async with aclosing(board.messages()) as messages:
        return await anext(messages)


@pytest.mark.fault(105)
def test_the_message_holds_the_numbers_and_the_names_of_the_store(client):
    long, short = (
        client.put(spiral(lr=0.3), said(1000, 2.0)),
        client.put(spiral("sgd", lr=1e-4), said(100, 3.0), state="running"),
    )
    room_of(client, ("Ada", long), (HOSTILE, short), ("Guest 3", ""))
    head, *runs = decoded(asyncio.run(first(Board(ROOM, client.store))))
    assert head[0]["type"] == "board"
    assert [member["name"] for member in head[0]["members"]] == ["Ada", HOSTILE, "Guest 3"]
    assert [member["run"] for member in head[0]["members"]] == [long, short, ""]
    assert [(member.get("lr"), member.get("optimizer")) for member in head[0]["members"][:2]] == [(0.3, "Adam"), (1e-4, "SGD")]
    rows, curves = client.store.rows_of([long, short]), client.store.curves([long, short])
    for member in head[0]["members"][:2]:
        row = rows[member["run"]]
        assert member["state"] == row.state
        assert member["figures"] == {name: row.figures[name] for name in boards.FIGURES if name in row.figures}
        assert member["figures"]["steps"] == {long: 1000, short: 100}[row.id]
    assert {header["run"] for header, _arrays in runs} == {long, short}
    for header, arrays in runs:
        curve = curves[header["run"]]
        some, ends = thinned(len(curve.steps), MAX_POINTS), thinned(len(curve.epochs), MAX_POINTS)
        assert arrays["step"].tolist() == curve.steps[some].tolist()
        assert arrays["step"][-1] == rows[header["run"]].figures["steps"], "the newest point is among them"
        np.testing.assert_array_equal(arrays["batch_loss"], curve.losses[some].astype("f4"))
        np.testing.assert_array_equal(arrays["seconds"], curve.seconds[some].astype("f4"))
        np.testing.assert_array_equal(arrays["figures"], curve.figures[:, ends].astype("f4"))
        np.testing.assert_array_equal(arrays["epoch_step"], curve.epoch_steps[ends])


def test_thirty_viewers_share_one_look_and_one_message(client):
    room_of(client, *[(f"Guest {i}", client.put(spiral(lr=0.001 * (i + 1)), said(100, 2.0))) for i in range(30)])
    asked = []

    class Counting:
        def __getattr__(self, name):
            if name != "room":
                asked.append(name)
            return getattr(client.store, name)

    async def run() -> list[bytes]:
        board = Board(ROOM, Counting())
        streams = [board.messages() for _ in range(30)]
        messages = await asyncio.gather(*(anext(stream) for stream in streams))
        asked_by_now = list(asked)
        for stream in streams:
            await stream.aclose()
        assert asked_by_now.count("curves") <= 2, asked_by_now
        return messages

    messages = asyncio.run(run())
    assert len({id(message) for message in messages}) == 1
    assert len(decoded(messages[0])) == 31
    assert len(messages[0]) < 200_000


def test_a_run_that_went_on_is_sent_again_and_the_others_are_not(client):
    still, live = client.put(spiral(), said(100, 2.0)), client.put(spiral(), said(100, 2.0, ends=False), state="running")
    room_of(client, ("Ada", still), ("Bob", live))

    async def run() -> list[tuple[dict, dict]]:
        board = Board(ROOM, client.store)
        async with aclosing(board.messages()) as messages:
            assert [header["type"] for header, _arrays in decoded(await anext(messages))] == ["board", "run", "run"]
            client._writer.begin()
            line = client._summaries.line(live, None)
            for event in said(200, 1.0):
                line.append(event)
            client._summaries._write(line)
            client._writer.update(live, state="finished")
            client._writer.commit()
            return decoded(await asyncio.wait_for(anext(messages), 5))

    head, *runs = asyncio.run(run())
    assert [member["state"] for member in head[0]["members"]] == ["finished", "finished"]
    assert [header["run"] for header, _arrays in runs] == [live]
    assert runs[0][1]["step"][-1] == 200


def test_of_too_many_those_with_a_run_are_shown_in_the_order_in_which_they_came():
    members = [Member(ROOM, str(i), f"Guest {i}", "run" if i % 2 else "", float(i)) for i in range(2 * MAX_SHOWN + 10)]
    found = shown(members)
    assert len(found) == MAX_SHOWN
    assert all(member.run for member in found)
    assert list(found) == sorted(found, key=lambda member: member.joined)


def test_a_participant_has_another_key_in_every_room_and_none_that_tells_the_space():
    assert member_key("a", "0" * 32) != member_key("b", "0" * 32)
    assert "0" * 16 not in member_key("a", "0" * 32)


def test_a_room_that_is_closed_ends_the_stream_and_one_without_runs_says_who_is_there(client):
    room_of(client, ("Ada", ""), ("Bob", "gone-0000001"))

    async def run() -> None:
        async with aclosing(Board(ROOM, client.store).messages()) as messages:
            ((head, _arrays),) = decoded(await anext(messages))
            assert [(member["name"], member["run"]) for member in head["members"]] == [("Ada", ""), ("Bob", "")]
            close(client)
            with pytest.raises(UnknownRoom):
                await asyncio.wait_for(anext(messages), 5)

    asyncio.run(run())


@pytest.mark.parametrize(("room", "code"), [("zzzz-zzzz-zzzz", 4404), ("abcd%00efgh", 4404), ("A" * 500, 4404)])
def test_a_room_that_is_not_there_is_accepted_and_then_closed(room, code, client):
    hub = BoardHub(client.store)
    socket = TestClient(Starlette(routes=[board_route(lambda: hub)])).websocket_connect(f"/api/rooms/{room}/board")
    with socket as opened, pytest.raises(WebSocketDisconnect) as closed:
        opened.receive_bytes()
    assert closed.value.code == code


def test_another_page_gets_nothing_and_our_own_gets_the_board(client):
    room_of(client, ("Ada", ""))
    hub = BoardHub(client.store)
    tester = TestClient(Starlette(routes=[board_route(lambda: hub)]))
    with (
        pytest.raises(WebSocketDisconnect),
        tester.websocket_connect(f"/api/rooms/{ROOM}/board", headers={"origin": "http://evil"}),
    ):
        pass
    with tester.websocket_connect(f"/api/rooms/{ROOM}/board") as socket:
        assert decoded(socket.receive_bytes())[0][0]["n_members"] == 1
        close(client)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_bytes()
    assert closed.value.code == 4404
