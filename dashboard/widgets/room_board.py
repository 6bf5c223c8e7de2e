"""Everybody's runs in a room, for the room's screen: the live board, and what a click on a participant does."""

import streamlit as st

from core.errors import LayerwiseError
from core.store.rooms import Room
from dashboard.components.room_board import room_board
from dashboard.figures.theme import categorical, line_scale
from dashboard.session import resources, state
from dashboard.session.board import member_key
from dashboard.session.visitor import visitor
from dashboard.text import _
from dashboard.widgets.failure import toast
from dashboard.widgets.links import open_screen
from dashboard.widgets.room_present import room_address

WANTED = "room_board.wanted"
"""The run that was just asked for: a screen cannot be changed in a callback."""


def board(room: Room, *, key: str) -> None:
    """The live board; a participant's run is opened by a click or Enter on the name, to be looked at."""
    room_board(
        room.id,
        key=key,
        me=member_key(room.id, visitor().owner),
        palettes=(categorical(dark=False), categorical(dark=True)),
        scales=(line_scale(dark=False), line_scale(dark=True)),
        on_open=lambda run: st.session_state.__setitem__(WANTED, run),
    )
    wanted = st.session_state.pop(WANTED, None)
    if wanted:
        _open(room, wanted)


def _open(room: Room, run: str) -> None:
    """Look at a run of this room; what the visitor has in hand stays."""
    try:
        is_there = run in {member.run for member in resources.reader().members(room.id)}
        record = resources.reader().run(run) if is_there else None
        if record is None:
            return
        lanes = state.experiment_of(record.job).lanes
    except LayerwiseError as error:
        toast(error)
        return
    state.set_run(record.id)
    open_screen("race" if len(lanes) > 1 else "train")


def invitation(room: Room) -> None:
    """The link of the room, to be copied."""
    st.caption(_("Link of this room: whoever opens it follows, and appears here after pressing Train."))
    st.code(room_address(room.id), language=None, wrap_lines=True)
