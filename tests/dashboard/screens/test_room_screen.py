"""The Room screen: the board of the room in the address, and a click on a participant."""

import pytest
from streamlit.testing.v1 import AppTest

from core.settings import Settings
from core.store.rooms import Member, Room
from dashboard.session import resources
from tests.core.samples import spiral
from tests.dashboard.apptest_helpers import component_data, fire
from tests.dashboard.store_client import StoreClient

ROOM = "abcd-efgh-jkmn"


@pytest.fixture
def client(home, monkeypatch):
    home.mkdir(parents=True, exist_ok=True)
    client = StoreClient(home)
    monkeypatch.setattr(resources, "client", lambda: client)
    monkeypatch.setattr(resources, "pool", lambda: client)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    yield client
    client.close()


def page():
    import streamlit as st

    from dashboard.screens import room
    from dashboard.session import state

    state.load_link()
    st.text(state.run_id() or "no run")
    room.render()


def opened(room: str) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["room"] = room
    app.run()
    assert not app.exception
    return app


def test_without_a_room_or_with_one_that_is_gone_it_says_what_to_do(client):
    assert "You are in no room" in opened("").info[0].value
    assert "not there any more" in opened(ROOM).info[0].value


def test_a_participants_run_is_opened_and_a_strangers_is_not(client):
    run, other = client.put(spiral(), owner="1" * 32), client.put(spiral(), owner="2" * 32)
    client._writer.begin()
    client._writer.open_room(Room(ROOM, "f" * 32, "Rates", 0, "{}", 1.0, 1.0))
    client._writer.put_member(Member(ROOM, "1" * 32, "<b>Ada</b>", run, 1.0))
    client._writer.commit()
    app = opened(ROOM)
    data = component_data(app, "room.board")
    assert data["room"] == ROOM
    assert "Mean squared error" in data["regression"]
    assert f"?room={ROOM}" in app.code[0].value, "the link to share"
    for sent in (other, "../../etc/passwd", None, {"run": run}):
        fire(app, "room.board", "open", sent)
        assert not app.exception
        assert app.text[0].value == "no run"
    fire(app, "room.board", "open", run)
    assert app.run().text[0].value == run
