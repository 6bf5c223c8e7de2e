"""The line under the header of everybody who is in a room."""

import streamlit as st

from dashboard.components.room_follow import Heard, room_follow
from dashboard.session import rooms
from dashboard.session.room_follow import SERVER
from dashboard.text import _
from dashboard.widgets.links import open_screen
from dashboard.widgets.room_present import follow_controls, present_controls


def go_where_it_is_shown(here: str) -> None:
    """Opens the presenter's screen, where a follower is on another one."""
    screen = rooms.go_to(here)
    if screen is not None:
        open_screen(screen)


def room_bar(here: str) -> None:
    """Who presents, what can be done about it, and the ear that hears of changes; nothing outside of rooms."""
    if words := rooms.problem():
        with st.container(key="room.problem", horizontal=True, vertical_alignment="center", border=True):
            st.text(words, width="stretch")
            st.button(_("Dismiss"), key="room.dismiss", on_click=rooms.dismiss_problem, type="tertiary")
    part = rooms.part()
    if not part:
        return
    with st.container(key="room", horizontal=True, vertical_alignment="center", gap="small"):
        if part == "present":
            present_controls()
        else:
            follow_controls(here)
        room_follow(Heard(rooms.room_id(), SERVER, rooms.seq(), part), key="room.ear")
