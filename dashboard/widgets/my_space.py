"""Whose runs these are: the space of this browser or login, the way to take it along, and the host's part."""

from html import escape
from urllib.parse import quote, urlsplit

import streamlit as st

from dashboard.session import state, view
from dashboard.session.visitor import SEES_ALL, asks_for_host_key, has_host_key, kept_token, login, offers_login, visitor
from dashboard.text import _

SHOWN = "my_space.key_shown"


def my_space() -> None:
    """A popover for the header, except before a room. Its inside costs nothing while it is closed."""
    if view.is_projector():
        return
    icon = ":material/shield_person:" if has_host_key() else ":material/person:"
    place = st.popover(_("My space"), icon=icon, key="my_space", on_change="rerun")
    if not place.open:
        st.session_state[SHOWN] = False
        return
    with place:
        name = login()
        if name is None:
            _of_browser()
        else:
            _of_login(name)
        _login_buttons(name)
        _host()


def _of_browser() -> None:
    """What belongs to this browser, and how another one gets there."""
    st.text(_("Runs that you train belong to this browser. Who opens a link of yours sees the run, and cannot change it."))
    if not kept_token():
        st.text(_("This browser keeps no cookies: your space lasts as long as this tab."))
        return
    st.text(
        _(
            "Another browser, a private window or another address of this server (localhost is not 127.0.0.1) has a space of "
            "its own. Take this one along with its private key."
        )
    )
    if st.session_state.get(SHOWN):
        st.code(kept_token(), language=None)
        st.text(_("Whoever has this key can change and delete your runs."))
    else:
        st.button(_("Show the private key"), key="my_space.show", icon=":material/key:", on_click=_show, width="stretch")
    _link(_("Open another space, or a fresh one"), "/space")
    if not state.fits_link():
        st.text(_("Your experiment is too large for the address: download it under Share first."))


def _of_login(name: str) -> None:
    """What belongs to an account is the same everywhere."""
    st.text(_("You are logged in as {name}.").format(name=name) if name else _("You are logged in."))
    st.text(_("Runs that you train belong to your account, in every browser where you log in. A link shows them to others."))
    st.text(_("Runs from before you logged in stay in the space of this browser: log out to change them."))


def _login_buttons(name: str | None) -> None:
    if not offers_login():
        return
    if name is None:
        st.button(_("Log in"), key="my_space.login", icon=":material/login:", on_click=st.login, width="stretch")
    else:
        st.button(_("Log out"), key="my_space.logout", icon=":material/logout:", on_click=st.logout, width="stretch")


def _host() -> None:
    """Only the host, or who is alone here, may look at all runs."""
    present = visitor()
    if present.is_host:
        words = _("Everybody's runs") if has_host_key() else _("Runs of all browsers")
        about = _("The table of runs shows all runs of this server, and you may change them.")
        st.toggle(words, key=SEES_ALL, help=about, persist_state="session")
    if asks_for_host_key():
        _link(_("Leave host") if has_host_key() else _("I am the host"), "/host")


def _show() -> None:
    st.session_state[SHOWN] = True


def _link(words: str, path: str) -> None:
    """To a page of the entrance, which leads back here. In this tab: what is open keeps the cookies that it came with."""
    here = urlsplit(st.context.url or "/")
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in st.query_params.items())
    place = (here.path or "/") + (f"?{query}" if query else "")
    st.html(f'<a style="color: inherit" href="{quote(path)}?next={quote(place, safe="")}">{escape(words)}</a>')
