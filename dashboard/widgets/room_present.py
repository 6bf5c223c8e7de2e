"""Opening a room, and the way into somebody else's; for the header of every screen."""

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from core.errors import LayerwiseError
from core.jobs.pool.rooms import MAX_MEMBER_NAME, MAX_ROOM_NAME
from dashboard.session import rooms, rooms_own, rooms_present
from dashboard.text import _
from dashboard.widgets.failure import plain, toast

ID_LETTERS = 20


def present_menu() -> None:
    """A popover to open a room, or to come into one; nothing for who is in a room already."""
    if rooms.part():
        return
    with st.popover(_("Present"), icon=":material/co_present:", key="header.present"):
        st.text(_("Show what you do to all who open your room's link: they follow live, and can try it themselves."))
        with st.form("room.open", border=False):
            st.text_input(_("Name of the room"), key="room.new_name", max_chars=MAX_ROOM_NAME, placeholder=_("may stay empty"))
            st.form_submit_button(
                _("Open a room"), on_click=_open, type="primary", icon=":material/co_present:", width="stretch"
            )
        st.divider()
        with st.form("room.come_in", border=False):
            st.text_input(_("Id of a room"), key="room.letters", max_chars=ID_LETTERS, placeholder="kx7m-2qpd-9vth")
            st.form_submit_button(_("Follow this room"), on_click=_come_in, icon=":material/login:", width="stretch")


def present_controls() -> None:
    """What a presenter does with the open room."""
    room = rooms.room()
    if room is None:
        return
    is_paused = rooms_present.is_paused()
    words = _("Paused: nobody follows you now") if is_paused else _("You present")
    icon = ":material/pause_circle:" if is_paused else ":material/co_present:"
    st.text(f"{words} · {room.name}" if room.name else words, width="content")
    st.badge(plain(room.id), icon=icon, color="orange" if is_paused else "blue")
    if st.button(_("Show the link"), key="room.link", icon=":material/link:", type="tertiary"):
        _link_dialog()
    st.button(
        _("Go on showing") if is_paused else _("Pause showing"),
        key="room.pause",
        icon=":material/play_arrow:" if is_paused else ":material/pause:",
        type="tertiary",
        on_click=rooms_present.pause,
        args=(not is_paused,),
        help=_("While it is paused, you can look around and nobody follows."),
    )
    with st.popover(_("Close the room"), icon=":material/close:", type="tertiary", key="room.close_menu"):
        st.text(_("Followers keep what they have in hand. The link and the board of the room are gone then."))
        st.button(_("Close it now"), key="room.close", on_click=_close, type="primary", width="stretch")


def follow_controls(here: str) -> None:
    """What a follower sees of the room, and the ways out of it."""
    room = rooms.room()
    if room is None:
        return
    is_own = rooms.part() == "own"
    name = room.name or _("the room {id}").format(id=room.id)
    st.text((_("On your own, beside {name}") if is_own else _("You follow {name}")).format(name=name), width="content")
    _member_menu()
    if is_own:
        st.button(
            _("Back to the room"),
            key="room.back",
            type="primary",
            icon=":material/arrow_back:",
            on_click=rooms_own.come_back,
            help=_("Follows again, exactly where the presenter is now. What you have in hand is kept."),
        )
        return
    if not room.seq:
        st.badge(_("nothing is shown yet"), color="gray")
    if rooms.is_aside(here):
        st.button(_("Back to what is shown"), key="room.aside", icon=":material/my_location:", on_click=rooms.follow_again)
    st.button(
        _("Try it yourself"),
        key="room.try",
        type="primary",
        icon=":material/play_arrow:",
        on_click=rooms.on_ones_own,
        help=_("Stops following here, with the same experiment in hand. Train it, change it, come back when you like."),
    )
    _other_ways()


def room_address(room: str) -> str:
    """The address that others open: the first screen, in this room."""
    scheme, host, path, *_rest = urlsplit(st.context.url or "")
    return urlunsplit((scheme, host, path.rsplit("/", 1)[0] + "/", urlencode({"room": room}), ""))


def _other_ways() -> None:
    moment = rooms_own.moment_in_hand()
    if moment is not None:
        st.button(
            _("Fork from here") if moment.is_newest else _("Fork from step {step}").format(step=f"{moment.step:,}"),
            key="room.fork",
            icon=":material/fork_right:",
            type="tertiary",
            on_click=_fork,
            help=_("Stops following here, with a fork of this run in hand: Train goes on from the weights of this moment."),
        )
    if rooms_own.has_mine():
        st.button(
            _("Go on with mine"),
            key="room.mine",
            icon=":material/person:",
            type="tertiary",
            on_click=rooms_own.go_on_with_mine,
            help=_("Takes your own experiment and run in hand again."),
        )


def _member_menu() -> None:
    """The visitor's name in the room, which may be changed and is never asked for."""
    member = rooms.me()
    name = member.name if member else _("You")
    with st.popover(plain(name), icon=":material/badge:", type="tertiary", key="room.member"):
        with st.form("room.rename", border=False):
            st.text_input(_("Your name on the board, if you like"), name, key=f"room.name.{name}", max_chars=MAX_MEMBER_NAME)
            st.form_submit_button(_("Take this name"), on_click=_rename, args=(f"room.name.{name}",), width="stretch")
        st.button(_("Leave the room"), key="room.leave", icon=":material/logout:", on_click=_leave, width="stretch")


def _link_dialog() -> None:
    """The dialog is declared here and not at import, so that its title is in the reader's language."""
    st.dialog(_("Open this address to follow"), width="large", icon=":material/co_present:")(_link)()


def _link() -> None:
    address = room_address(rooms.room_id())
    with st.container(key="room.link_large"):
        st.text(address)
    st.text(_("Or press Present on any page of this server, and type the id of the room."))
    st.code(address, language=None, wrap_lines=True)


def _open() -> None:
    _or_toast(lambda: rooms_present.open_room(st.session_state["room.new_name"]))


def _come_in() -> None:
    _or_toast(lambda: rooms.come_in(st.session_state["room.letters"]))


def _close() -> None:
    _or_toast(rooms_present.close)


def _fork() -> None:
    _or_toast(rooms_own.fork_from_here)


def _leave() -> None:
    _or_toast(rooms.leave)


def _rename(key: str) -> None:
    _or_toast(lambda: rooms.rename(st.session_state[key]))


def _or_toast(act: Callable[[], None]) -> None:
    """Callbacks have no place of their own for what went wrong."""
    try:
        act()
    except LayerwiseError as error:
        toast(error)
