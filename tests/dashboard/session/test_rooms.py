"""A presenter and followers, each a session of its own over one real store: who sees what, and keeps what."""

import json
import secrets

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import PoolError
from core.experiment.codec import from_file_text
from core.settings import Settings
from dashboard.session import resources, rooms_place
from dashboard.session.rooms_place import KINDS, parsed_place
from dashboard.session.visitor import SESSION_ONLY, space_of, visitor
from tests.core.samples import spiral
from tests.dashboard.room_desk import RoomDesk

HOSTILE = "<img src=x onerror=alert(1)> **bold** [a](javascript:alert(1)) \u202e"
FAST, SLOW = spiral(steps=20, seed=1), spiral(steps=20, seed=2)


@pytest.fixture
def desk(home, monkeypatch):
    made = RoomDesk(home)
    monkeypatch.setattr(resources, "pool", lambda: made)
    monkeypatch.setattr(resources, "client", lambda: made.of(visitor().owner, room=rooms_kept()))
    monkeypatch.setattr(resources, "reader", lambda: made.store)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    yield made
    made.close()


def rooms_kept():
    from dashboard.session.address import kept

    return kept("room")


def page():
    """What the app does with rooms, on two screens: a button of each goes to the other one."""
    import streamlit as st

    from core.experiment.codec import from_file_text
    from dashboard.session import rooms, selection, state
    from dashboard.session.rooms_present import publish
    from dashboard.widgets import room_bar
    from dashboard.widgets.room_present import present_menu

    for what, value in st.session_state.pop("acts", {}).items():  # as in callbacks
        {
            "experiment": lambda value: state.set_experiment(from_file_text(value)),
            "run": state.set_run,
            "example": lambda value: selection.choose_example("test", value),
            "moment": lambda value: selection.choose_moment(*value),
        }[what](value)
    state.load_link()
    rooms.arrive()
    here = st.session_state.setdefault("here", "train")
    here = st.session_state["here"] = rooms.go_to(here) or here
    publish(here)
    present_menu()
    room_bar.room_bar(here)
    st.segmented_control("Lens", ["activations", "weights"], key="inspect.lens", persist_state="session")
    publish(here)
    state.write_link()


class Person:
    """One browser."""

    def __init__(self, room="", token="", **query):
        self.token = token or secrets.token_urlsafe(32)
        self.app = AppTest.from_function(page, default_timeout=20)
        self.app.session_state[SESSION_ONLY] = self.token
        for name, text in (query | ({"room": room} if room else {})).items():
            self.app.query_params[name] = text
        self.look()

    @property
    def owner(self):
        return space_of(self.token)

    def look(self):
        self.app.run()
        assert not self.app.exception, self.app.exception[0].message
        return self

    def do(self, **acts):
        """What a screen would do."""
        self.app.session_state["acts"] = acts
        return self.look()

    def click(self, key):
        self.app.button(key).click()
        return self.look()

    def has(self, key):
        return any(button.key == key for button in self.app.button)

    def words(self):
        return " | ".join(text.value for text in self.app.text)

    def state(self, key):
        return self.app.session_state[key] if key in self.app.session_state else None  # noqa: SIM401 # it has no get

    def present(self, name=""):
        self.app.text_input("room.new_name").set_value(name)
        next(button for button in self.app.button if button.label == "Open a room").click()
        return self.look()

    @property
    def room(self):
        return self.state("state.kept.room")

    @property
    def experiment(self):
        text = self.state("state.experiment")
        return from_file_text(text) if text else None

    @property
    def run(self):
        return self.state("state.run")

    @property
    def part(self):
        return self.state("rooms.part")


@pytest.fixture
def pair(desk):
    """A presenter with an experiment and a run in hand, and a follower."""
    presenter = Person().present("Optimizers")
    presenter.do(experiment=FAST.model_dump_json(), run=desk.put(FAST))
    return presenter, Person(presenter.room)


def test_a_follower_has_in_hand_what_the_presenter_has_and_goes_along(desk, pair):
    presenter, follower = pair
    assert (presenter.part, follower.part) == ("present", "follow")
    assert (follower.experiment, follower.run) == (FAST, presenter.run)
    presenter.do(experiment=SLOW.model_dump_json(), example=7, moment=(presenter.run, 5))
    presenter.app.session_state["here"] = "inspect"
    presenter.app.segmented_control[0].set_value("weights")
    presenter.look()
    follower.look()
    assert (follower.experiment, follower.run, follower.state("here")) == (SLOW, presenter.run, "inspect")
    for key in ("subject.example", "subject.split", "subject.moment", "inspect.lens"):
        assert follower.state(key) == presenter.state(key), key
    assert (follower.state("subject.moment"), follower.state("inspect.lens")) == ((presenter.run, 5), "weights")


def test_nothing_is_shown_where_nothing_has_changed(desk, pair):
    presenter, follower = pair
    seq, asked = desk.store.room_seq(presenter.room), len(desk.asked)
    presenter.look().look()
    follower.look().look()
    assert desk.store.room_seq(presenter.room) == seq
    assert len(desk.asked) == asked


def test_a_follower_is_a_guest_until_a_name_is_given(desk, pair):
    presenter, follower = pair
    names = [(one.owner, one.name) for one in desk.store.members(presenter.room)]
    assert names == [(presenter.owner, "Presenter"), (follower.owner, "Guest 1")]
    follower.app.text_input("room.name.Guest 1").set_value("Grace")
    next(button for button in follower.app.button if button.label == "Take this name").click()
    follower.look()
    assert desk.store.members(presenter.room)[1].name == "Grace"


def test_who_takes_something_else_in_hand_goes_on_alone_and_nothing_of_it_is_lost(desk, pair):
    presenter, follower = pair
    follower.do(experiment=SLOW.model_dump_json())
    assert follower.part == "own"
    presenter.do(example=3)
    follower.look()
    assert (follower.experiment, follower.state("subject.example")) == (SLOW, None)
    follower.click("room.back")
    assert (follower.part, follower.experiment, follower.state("subject.example")) == ("follow", FAST, 3)
    follower.click("room.mine")
    assert (follower.part, follower.experiment) == ("own", SLOW)


def test_a_run_that_is_started_in_a_room_is_noted_and_can_be_taken_up_after_a_reload(desk, pair):
    presenter, follower = pair
    follower.click("room.try")
    assert (follower.part, follower.experiment, follower.run) == ("own", FAST, presenter.run)
    own = desk.of(follower.owner, room=presenter.room).put(SLOW)
    assert desk.store.members(presenter.room)[1].run == own
    again = Person(presenter.room, token=follower.token)
    assert again.part == "follow"
    again.click("room.mine")
    assert (again.part, again.experiment, again.run) == ("own", SLOW, own)


def test_a_reload_on_ones_own_stays_on_ones_own(desk, pair):
    presenter, follower = pair
    follower.click("room.try")
    own = desk.of(follower.owner, room=presenter.room).put(SLOW)
    again = Person(presenter.room, token=follower.token, own="1", run=own)
    assert (again.part, again.experiment, again.run) == ("own", SLOW, own)


def test_a_fork_begins_at_the_moment_that_is_shown(desk, pair):
    presenter, follower = pair
    presenter.do(moment=(presenter.run, 5))
    follower.look().click("room.fork")
    assert follower.part == "own"
    origin = follower.experiment.origin
    assert (origin.run, origin.step, origin.name) == (presenter.run, 5, "step-5")


def test_looking_aside_is_no_leaving_and_there_is_a_way_back(desk, pair):
    presenter, follower = pair
    assert not follower.has("room.aside")
    follower.app.session_state["here"] = "data"
    follower.look()
    assert follower.part == "follow"
    follower.click("room.aside")
    assert follower.state("here") == presenter.state("here")
    follower.look()
    assert not follower.has("room.aside")


def test_a_closed_room_is_told_and_what_is_in_hand_stays(desk, pair):
    presenter, follower = pair
    own = Person(presenter.room).click("room.try")
    room = presenter.room
    presenter.click("room.close")
    assert (presenter.part, presenter.room) == (None, "")
    for person in (follower.look(), own.look()):
        assert "closed the room" in person.words()
        assert (person.experiment, person.run, person.room) == (FAST, presenter.run, "")
        assert "closed the room" not in person.click("room.dismiss").words()
    late = Person(room)
    assert "has never been one" in late.words()


def test_a_presenter_who_comes_again_goes_on_presenting_what_was_shown(desk, pair):
    presenter, follower = pair
    presenter.do(example=4)
    again = Person(presenter.room, token=presenter.token)
    assert (again.part, again.experiment, again.run, again.state("subject.example")) == ("present", FAST, presenter.run, 4)
    again.do(example=5)
    assert follower.look().state("subject.example") == 5
    presenter.do(example=6)  # of two pages, the last one that acts shows
    assert follower.look().state("subject.example") == 6


def test_a_pause_lets_a_presenter_look_around(desk, pair):
    presenter, follower = pair
    presenter.click("room.pause").do(example=9)
    assert follower.look().state("subject.example") is None
    presenter.click("room.pause")
    assert follower.look().state("subject.example") == 9


def test_a_follower_leaves_and_comes_in_again_by_the_letters(desk, pair):
    presenter, follower = pair
    room = presenter.room
    follower.click("room.leave")
    assert (follower.room, len(desk.store.members(room))) == ("", 1)
    for letters, part in (("kx7m-2qpd-9vth", None), (f" {room.upper()} ", "follow")):
        follower.app.text_input("room.letters").set_value(letters)
        next(button for button in follower.app.button if button.label == "Follow this room").click()
        follower.look().look()
        assert follower.part == part
    assert follower.experiment == FAST


NO_PLACES = (
    "", "null", "[]", "{}", "[" * 60_000, '{"screen":1}', '{"screen":"<script>"}', '{"screen":"train","experiment":"{}x"}',
    '{"screen":"train","experiment":7}', '{"screen":"train","run":"../../x"}', '{"screen":"train","widgets":[]}',
    json.dumps({"screen": "train", "experiment": json.dumps({"version": 99})}),
)  # fmt: skip


@pytest.mark.fault(102)
def test_what_cannot_be_understood_is_told_and_not_taken_over(desk, pair):
    presenter, follower = pair
    for state in NO_PLACES:
        desk.of(presenter.owner).show(presenter.room, state)
        assert "cannot be understood" in follower.look().words(), state[:60]
        assert (follower.experiment, follower.run) == (FAST, presenter.run)
    presenter.do(example=2)
    assert follower.look().state("subject.example") == 2
    assert "cannot be understood" not in follower.words()


@pytest.mark.fault(102)
def test_of_a_hostile_state_only_what_is_known_and_right_is_taken(desk, pair):
    presenter, follower = pair
    widgets = {
        "header.train": True, "state.run": "x", "visitor.token": "mine", "rooms.part": "present", "room.close": True,
        "inspect.lens": {"a": 1}, "explain.one.same_scale": "yes", "explain.seed": 1.5, "methods.shown.image": "x",
        "subject.drawing": "../etc", "subject.embedding": {"n": 5}, "explain.section": HOSTILE * 9, "evaluate.section": HOSTILE,
    }  # fmt: skip
    chosen = {"subject.example": -1, "subject.split": 3, "subject.moment": ["x", True], "subject.layer": 2**40, "else": 1}
    chosen["subject.unit"] = float("nan")
    place = {"screen": "train", "run": "f" * 32, "widgets": widgets, "selection": chosen, "hide": HOSTILE, "new": [1]}
    desk.of(presenter.owner).show(presenter.room, json.dumps(place))
    follower.look()
    assert follower.words().count("cannot be understood") == 0
    assert (follower.run, follower.part) == (None, "follow")
    taken = {key for key in widgets if follower.state(key) == widgets[key] and key != "evaluate.section"}
    assert taken == set()
    assert all(follower.state(key) is None for key in chosen)


@pytest.mark.fault(102)
def test_names_are_shown_as_they_are(desk):
    presenter = Person().present(HOSTILE)
    follower = Person(presenter.room)
    shown = "<img src=x onerror=alert(1)> **bold** [a](javascript:aler"
    assert shown in presenter.words()
    assert shown in follower.words()
    assert not any("bold" in one.value for person in (presenter, follower) for one in person.app.markdown)


@pytest.mark.fault(104)
def test_what_is_too_large_to_be_shown_is_told_once_to_the_presenter(desk, pair, monkeypatch):
    presenter, follower = pair
    monkeypatch.setattr(rooms_place, "_compact", lambda text: text + " " * 70_000)
    presenter.do(experiment=SLOW.model_dump_json())
    assert "65,536 are possible" in presenter.words()
    n_asked = len(desk.asked)
    presenter.look()
    assert len(desk.asked) == n_asked
    monkeypatch.undo()
    assert follower.look().experiment == FAST


def test_a_pool_that_is_away_keeps_nobody_from_going_on(desk, pair, monkeypatch):
    presenter, follower = pair

    def away(request):
        raise PoolError("Nobody answers.")

    monkeypatch.setattr(RoomDesk, "_ask", lambda self, request: away(request))
    assert "Nobody answers" in presenter.do(example=1).words()
    assert "Nobody answers" in Person(presenter.room).words()
    assert follower.look().part == "follow"


def test_a_run_that_is_none_of_training_is_not_taken_over(desk, pair):
    presenter, follower = pair
    desk.writer.begin()
    desk.writer.update(presenter.run, job='{"kind":"gallery"}')
    desk.writer.commit()
    presenter.do(example=1)
    assert follower.look().run is None


def test_every_kind_of_key_is_told_from_its_neighbours():
    assert rooms_place._kind("inspect.lens") is not None
    assert rooms_place._kind("inspect.landscape.plane.view") is not None
    assert rooms_place._kind("subject.drawing") is not None
    for key in (
        "inspect.lens.x",
        "xinspect.lens",
        "header.train",
        "explain.split.x",
        "share.upload",
        "room.try",
        "inspect.lensexplain.section",
    ):
        assert rooms_place._kind(key) is None, key
    assert len(KINDS) > 10
    assert parsed_place('{"screen":"train"}').widgets == {}
