"""What a presenter does with a room: open it, show, pause, close it."""

import streamlit as st

from core.errors import LayerwiseError, SpecError
from dashboard.session import resources, rooms
from dashboard.session.address import keep
from dashboard.session.rooms_place import place_text
from dashboard.text import _


def publish(here: str) -> None:
    """Show all followers what this presenter has in hand and looks at; nothing where nothing has changed."""
    if rooms.part() != "present" or is_paused():
        return
    text = place_text(here)
    if text == st.session_state.get(rooms.SHOWN):
        return
    try:
        resources.client().show(rooms.room_id(), text)
    except SpecError as error:  # too large, or closed elsewhere: not asked again before something changes
        st.session_state[rooms.SHOWN] = text
        st.session_state[rooms.PROBLEM] = str(error)
    except LayerwiseError as error:
        st.session_state[rooms.PROBLEM] = str(error)
    else:
        st.session_state[rooms.SHOWN] = text
        rooms.dismiss_problem()


def open_room(name: str) -> None:
    """Present from now on, in a room of one's own.

    Raises:
        LayerwiseError: it is refused, or nobody answers.
    """
    room = resources.client().open_room(name, _("Presenter"))
    rooms.forget()
    keep("room", room)
    keep("own", "")
    st.session_state[rooms.PART] = "present"


def is_paused() -> bool:
    """Whether this presenter looks around without being followed."""
    return bool(st.session_state.get(rooms.PAUSED))


def pause(is_on: bool) -> None:
    """Look around without being followed, or show again what is in hand."""
    st.session_state[rooms.PAUSED] = is_on
    st.session_state[rooms.SHOWN] = ""


def close() -> None:
    """End the room for all.

    Raises:
        LayerwiseError: nobody answers.
    """
    resources.client().close_room(rooms.room_id())
    rooms.forget()
    keep("room", "")
