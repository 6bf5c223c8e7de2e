"""Rooms at the supervisor: who may open, show, join and close, without processes."""

import json
import re
import time
from functools import partial

import pytest

from core.errors import SpecError
from core.jobs.client import Client
from core.jobs.pool import rooms
from core.jobs.pool.rooms import MAX_MEMBERS, MAX_OWN_ROOMS, MAX_ROOMS, MAX_STATE_BYTES, ROOM_DAYS
from core.jobs.room_client import RoomClient, new_room_id
from core.jobs.training import TrainJob
from core.settings import Settings
from core.store.rooms import ROOM_ID, Member, Room
from tests.core.jobs.test_jobs_library import HOSTILE, Desk
from tests.core.samples import spiral

ADA, BOB = "a" * 32, "b" * 32
ROOM, OTHER = "kx7m-2qpd-9vth", "2222-3333-4444"
RUN = "1" * 32


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.reader.close()
    desk.writer.close()


@pytest.fixture
def ada(desk):
    """What Ada asks, who has a room."""
    desk.ask(ask="open_room", room=ROOM, name="Optimizers", presenter="Ada", by=ADA)
    return partial(desk.ask, room=ROOM, by=ADA)


def test_an_opened_room_is_there_with_its_presenter_in_it(desk, ada):
    room = desk.reader.room(ROOM)
    assert room == Room(ROOM, ADA, "Optimizers", 0, "{}", room.created, room.created)
    assert [(one.owner, one.name, one.run) for one in desk.reader.members(ROOM)] == [(ADA, "Ada", "")]
    assert desk.reader.room_seq(ROOM) == 0
    assert desk.reader.room(OTHER) is desk.reader.room_seq(OTHER) is None
    assert desk.reader.members(OTHER) == ()


def test_a_request_that_comes_twice_makes_one_room(desk, ada):
    assert ada(ask="open_room", name="again") == {"room": ROOM}
    assert desk.reader.room(ROOM).name == "Optimizers"
    with pytest.raises(SpecError, match="presenter"):
        desk.ask(ask="open_room", room=ROOM, by=BOB)


def test_what_is_shown_replaces_what_was_and_counts(desk, ada):
    assert ada(ask="show", state='{"screen":"train"}') == {"seq": 1}
    assert ada(ask="show", state='{"screen":"é"}') == {"seq": 2}
    assert (desk.reader.room(ROOM).state, desk.reader.room_seq(ROOM)) == ('{"screen":"é"}', 2)


@pytest.mark.fault(103)
@pytest.mark.parametrize("ask", ["show", "rename_room", "close_room"])
@pytest.mark.parametrize("who", [{"by": BOB}, {"by": BOB, "owner": ADA}, {"by": ""}])
def test_a_member_can_neither_show_nor_close(desk, ada, ask, who):
    desk.ask(ask="join", room=ROOM, by=BOB, name="Bob")
    with pytest.raises(SpecError, match="Only its presenter"):
        desk.ask(ask=ask, room=ROOM, state="{}", name="mine", **who)
    assert (desk.reader.room(ROOM).name, desk.reader.room_seq(ROOM)) == ("Optimizers", 0)


def test_a_host_may_end_a_room_and_not_show_in_it(desk, ada):
    with pytest.raises(SpecError, match="presenter"):
        desk.ask(ask="show", room=ROOM, state="{}", by=BOB, as_host=True)
    desk.ask(ask="close_room", room=ROOM, by=BOB, as_host=True)
    assert desk.reader.room(ROOM) is None


def test_a_closed_room_is_gone_with_its_members_and_their_runs_stay(desk, ada):
    desk.submit(RUN)
    ada(ask="close_room")
    assert (desk.reader.room(ROOM), desk.reader.members(ROOM)) == (None, ())
    assert desk.reader.run(RUN) is not None
    for ask in ("show", "join", "leave", "close_room", "rename_room"):
        with pytest.raises(SpecError, match="no such room"):
            ada(ask=ask, state="{}")


@pytest.mark.fault(104)
def test_a_state_beyond_the_limit_is_refused_with_both_numbers(desk, ada):
    ada(ask="show", state='"' + "x" * (MAX_STATE_BYTES - 2) + '"')
    with pytest.raises(SpecError, match="65,537 bytes, and 65,536"):
        ada(ask="show", state="é" * (MAX_STATE_BYTES // 2) + "x")
    assert desk.reader.room_seq(ROOM) == 1


@pytest.mark.fault(100)
@pytest.mark.parametrize(
    "room", ["", "a", ROOM.upper(), ROOM + "\n", "../../../etc", "kx7m2qpd9vth", "1" * 14, "k" * 999, HOSTILE]
)
def test_a_room_whose_id_is_not_ours_is_not_opened(desk, room):
    with pytest.raises(SpecError, match="id of a room"):
        desk.ask(ask="open_room", room=room, by=ADA)


@pytest.mark.parametrize("name", [None, 3, ["x"], {"x": 1}])
def test_a_name_that_is_no_text_is_refused(desk, ada, name):
    for ask in ("open_room", "rename_room", "join"):
        with pytest.raises(SpecError, match="text"):
            desk.ask(ask=ask, room=OTHER if ask == "open_room" else ROOM, name=name, by=ADA)
    with pytest.raises(SpecError, match="state: this must be text"):
        ada(ask="show", state=name)


@pytest.mark.fault(102)
def test_names_are_plain_and_cut(desk, ada):
    ada(ask="rename_room", name=HOSTILE + "x" * 500)
    desk.ask(ask="join", room=ROOM, by=BOB, name=HOSTILE + "y" * 500)
    names = desk.reader.room(ROOM).name, desk.reader.members(ROOM)[1].name
    assert [len(name) for name in names] == [60, 30]
    assert all(name.isprintable() for name in names)


def test_a_room_of_nobody_is_not_opened(desk):
    with pytest.raises(SpecError, match="belongs"):
        desk.ask(ask="open_room", room=ROOM)


def test_who_gives_no_name_gets_the_first_free_number(desk, ada):
    people = ["b" * 32, "c" * 32, "d" * 32]
    assert [desk.ask(ask="join", room=ROOM, by=one)["name"] for one in people] == ["Guest 1", "Guest 2", "Guest 3"]
    desk.ask(ask="leave", room=ROOM, by=people[1])
    assert desk.ask(ask="join", room=ROOM, by="e" * 32)["name"] == "Guest 2"
    assert desk.ask(ask="join", room=ROOM, by=people[0])["name"] == "Guest 1"
    assert desk.ask(ask="join", room=ROOM, by=people[0], name="Bo")["name"] == "Bo"
    assert [one.name for one in desk.reader.members(ROOM)] == ["Ada", "Bo", "Guest 3", "Guest 2"]


def test_a_training_run_started_in_a_room_is_noted_as_its_members(desk, ada):
    desk.ask(ask="join", room=ROOM, by=BOB)
    job = TrainJob(experiment=spiral(steps=20)).model_dump_json()
    for n, who in enumerate((BOB, ADA, BOB, "c" * 32), start=1):
        desk.ask(ask="submit", run=str(n) * 32, job=job, name="", by=who, in_room=ROOM)
    desk.ask(ask="submit", run="5" * 32, job=job, name="", by=BOB)
    desk.ask(ask="submit", run="6" * 32, job=job, name="", by=BOB, in_room=["?"])
    desk.ask(ask="submit", run="7" * 32, job=job, name="", by=BOB, in_room=OTHER)
    assert [(one.owner, one.run) for one in desk.reader.members(ROOM)] == [(ADA, "2" * 32), (BOB, "3" * 32)]
    desk.ask(ask="join", room=ROOM, by=BOB, name="Bob")
    assert desk.reader.members(ROOM)[1] == Member(ROOM, BOB, "Bob", "3" * 32, desk.reader.members(ROOM)[1].joined)


def test_rooms_and_members_have_a_limit(desk, ada, monkeypatch):
    def fresh(by=ADA):
        return desk.ask(ask="open_room", room=new_room_id(), by=by)

    for _ in range(MAX_OWN_ROOMS - 1):
        fresh()
    with pytest.raises(SpecError, match="5 rooms"):
        fresh()
    monkeypatch.setattr(rooms, "MAX_ROOMS", MAX_OWN_ROOMS)
    with pytest.raises(SpecError, match="5 rooms open"):
        fresh(BOB)
    now = time.time()
    desk.write(lambda: [desk.writer.put_member(Member(ROOM, f"{n:032}", "x", "", now)) for n in range(MAX_MEMBERS)])
    with pytest.raises(SpecError, match="full"):
        desk.ask(ask="join", room=ROOM, by=BOB)
    assert MAX_ROOMS > MAX_OWN_ROOMS


def test_a_room_nobody_presented_in_for_days_is_closed(desk, ada):
    desk.ask(ask="open_room", room=OTHER, by=BOB)
    desk.write(lambda: desk.writer.show_in_room(ROOM, "{}", time.time() - ROOM_DAYS * 86_400 - 1))
    desk.pool._requests.rooms._swept = -1e9
    desk.turn()
    assert desk.writer.rooms_of(ADA) == ()
    assert desk.writer.rooms_of(BOB) == (OTHER,)


def test_ids_are_unlike_each_other_and_of_our_form():
    ids = {new_room_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(ROOM_ID.fullmatch(one) for one in ids)


def test_the_client_asks_in_the_name_of_its_visitor(tmp_path, monkeypatch):
    asked = []
    answers = {"open_room": {"room": ROOM}, "show": {"seq": 4}, "join": {"name": "Guest 1"}}

    def ask(home, request, *, timeout_s):
        asked.append(json.loads(json.dumps(request)))
        return answers.get(request["ask"], {"run": RUN})

    monkeypatch.setattr("core.jobs.client.ask", ask)
    client = Client(tmp_path, Settings(home=tmp_path)).of(BOB, room=ROOM)
    assert (client.open_room("n", "p"), client.show(ROOM, "{}"), client.join(ROOM, "b")) == (ROOM, 4, "Guest 1")
    client.leave(ROOM)
    client.close_room(ROOM)
    client.rename_room(ROOM, "m")
    client.submit(TrainJob(experiment=spiral(steps=20)))
    assert [one["ask"] for one in asked] == ["open_room", "show", "join", "leave", "close_room", "rename_room", "submit"]
    assert all((one["by"], one["in_room"]) == (BOB, ROOM) for one in asked)
    assert re.fullmatch(ROOM_ID, asked[0]["room"])
    assert asked[0]["room"] != ROOM


def test_a_part_of_a_client_alone_asks_nobody():
    with pytest.raises(TypeError):
        RoomClient().leave(ROOM)
