"""The board of a room: the newest run of everybody who follows it, on one chart and in one table."""

import streamlit as st

from dashboard.session import resources, state
from dashboard.text import _
from dashboard.widgets.room_board import board, invitation


def render() -> None:
    """The Room screen."""
    asked = state.kept("room")
    room = resources.reader().room(asked) if asked else None
    if room is None:
        words = _("This room is not there any more.") if asked else _("You are in no room.")
        st.info(
            words + " " + _("Open a room, or the link of somebody's room, to see everybody's runs here."),
            icon=":material/groups:",
        )
        return
    board(room, key="room.board")
    invitation(room)
