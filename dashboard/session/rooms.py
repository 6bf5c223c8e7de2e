"""This visitor's part in a room: presenting, following, or on one's own for a while.

The room stands in the address, and its presenter is known by the space: after a reload, or a restart of the server, both are
back where they were. A follower takes over whatever is shown, until something of one's own is taken in hand.
"""

from typing import Literal

import streamlit as st

from core.errors import LayerwiseError, SpecError
from core.store.rooms import Member, Room
from dashboard.session import resources, rooms_place, state
from dashboard.session.address import keep, kept
from dashboard.session.rooms_place import Place, parsed_place
from dashboard.session.visitor import visitor
from dashboard.text import _

Part = Literal["", "present", "follow", "own"]

PART, PROBLEM = "rooms.part", "rooms.problem"
SEQ, SHOWN, TAKEN, GO_TO = "rooms.seq", "rooms.shown", "rooms.taken", "rooms.go_to"
"""Of a follower: the number of what was taken over, its text, what was in hand then, and the screen to go to. Of a presenter
SHOWN is what this page has shown last."""
PAUSED = "rooms.paused"
MINE = "rooms.mine"
"""What a follower had in hand while on one's own."""
Mine = tuple[str, str | None]
"""An experiment as text, and a run."""


def room_id() -> str:
    """The room that this visitor is in; empty for none."""
    return kept("room")


def part() -> Part:
    """What this visitor does there."""
    found: Part = st.session_state.get(PART, "") if room_id() else ""
    return found


def room() -> Room | None:
    """The room as it is now."""
    return resources.reader().room(room_id()) if part() else None


def me() -> Member | None:
    """This visitor as a member."""
    owner = visitor().owner
    return next((one for one in resources.reader().members(room_id()) if one.owner == owner), None)


def seq() -> int:
    """The number of what was taken over; 0 before the first."""
    return int(st.session_state.get(SEQ, 0))


def problem() -> str:
    """What went wrong with the room; empty for nothing."""
    return str(st.session_state.get(PROBLEM, ""))


def dismiss_problem() -> None:
    st.session_state[PROBLEM] = ""


def arrive() -> None:
    """At the beginning of a script run, before any widget: come into the room of the address, and take over what is shown."""
    if not room_id():
        return
    try:
        if not part():
            _enter()
        elif part() == "follow":
            _follow()
        elif resources.reader().room_seq(room_id()) is None:
            _closed()
    except LayerwiseError as error:  # the store or the pool is not there: what is in hand stays
        st.session_state[PROBLEM] = str(error)


def go_to(here: str) -> str | None:
    """The screen where the presenter is, once, when this page is another one."""
    screen = st.session_state.pop(GO_TO, None)
    return str(screen) if screen and screen != here else None


def come_in(room: str) -> None:
    """Follow another room, whose id was typed.

    Raises:
        SpecError: there is none.
    """
    room = room.strip().lower()
    if resources.reader().room(room) is None:
        raise SpecError(_("There is no such room."), hint=_("Ask the presenter for its letters, such as kx7m-2qpd-9vth."))
    mine = in_hand()
    forget()
    st.session_state[MINE] = mine
    keep("room", room)
    keep("own", "")


def leave() -> None:
    """Go out of the room, with what is in hand.

    Raises:
        LayerwiseError: nobody answers.
    """
    resources.client().leave(room_id())
    forget()
    keep("room", "")
    keep("own", "")


def on_ones_own() -> None:
    """Stop following at this moment, with the presenter's experiment and run in hand."""
    st.session_state[PART] = "own"
    keep("own", "1")


def follow_again() -> None:
    """Look at what is shown, whatever was looked at meanwhile."""
    st.session_state[PART] = "follow"
    st.session_state.pop(SEQ, None)
    st.session_state.pop(TAKEN, None)
    keep("own", "")


def rename(name: str) -> None:
    """Be called this in the room.

    Raises:
        LayerwiseError: it is refused, or nobody answers.
    """
    resources.client().join(room_id(), name)


def is_aside(here: str) -> bool:
    """Whether a follower looks at something else than what is shown."""
    place = parsed_place(str(st.session_state.get(SHOWN, "")))
    return part() == "follow" and place is not None and rooms_place.is_aside(place, here)


def _enter() -> None:
    found = resources.reader().room(room_id())
    if found is None:
        keep("room", "")
        keep("own", "")
        st.session_state[PROBLEM] = _("The room of this link is closed, or there has never been one. Ask for a new link.")
    elif found.owner == visitor().owner:
        if found.seq:
            _take(found)
        st.session_state[PART] = "present"
    else:
        resources.client().join(found.id)
        st.session_state[PART] = "own" if kept("own") else "follow"
        _follow()


def _follow() -> None:
    """Take over what is new; or go on alone, where something else was taken in hand since."""
    if part() != "follow":
        return
    if TAKEN in st.session_state and in_hand() != st.session_state[TAKEN]:
        on_ones_own()
        return
    found = resources.reader().room(room_id())
    if found is None:
        _closed()
    elif found.seq != st.session_state.get(SEQ):
        _take(found)


def _take(found: Room) -> None:
    st.session_state[SEQ] = found.seq
    st.session_state[SHOWN] = found.state
    if not found.seq:  # the presenter has just come in
        st.session_state[TAKEN] = in_hand()
        return
    place: Place | None = parsed_place(found.state)
    if place is None or not rooms_place.take(place):
        st.session_state[PROBLEM] = _("What is shown cannot be understood here: another version of Layerwise may show it.")
        return
    dismiss_problem()
    st.session_state[TAKEN] = in_hand()
    st.session_state[GO_TO] = place.screen


def _closed() -> None:
    forget()
    keep("room", "")
    keep("own", "")
    st.session_state[PROBLEM] = _("The presenter has closed the room. What you have in hand stays with you.")


def forget() -> None:
    """Be in no room, as far as this page is concerned."""
    for key in (PART, PROBLEM, SEQ, SHOWN, TAKEN, GO_TO, PAUSED, MINE):
        st.session_state.pop(key, None)


def in_hand() -> Mine:
    """Experiment and run that this visitor has in hand."""
    return state.experiment_text(), state.run_id()
