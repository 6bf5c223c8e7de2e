"""Who looks at this page: the owner of a space, known by an unguessable token in a cookie of the browser, or by a login.

The token never leaves the cookie: the store, the logs and other visitors know the space by a digest of it.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from secrets import token_urlsafe

import streamlit as st

from core.jobs.pool.ownership import may_change as may_be_changed
from core.settings import Settings
from core.store.protocol import RunRecord
from dashboard.secrets import HOST_S, is_proof, proof, secrets

TOKEN_COOKIE, HOST_COOKIE = "layerwise_space", "layerwise_host"
SESSION_ONLY = "visitor.session_only"
"""The token of a session whose browser keeps no cookies."""
SEES_ALL = "visitor.sees_all"
"""Whether a host looks at everybody's runs in the table, and not at those of the own space alone."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Visitor:
    """One who looks at a page."""

    owner: str
    """The public id of the space: 32 hexadecimal digits."""
    is_host: bool
    """Sees how the server is doing."""
    may_change_all: bool
    """May stop, change and delete everybody's runs: has given the host's key, or is alone here and asks for all."""


def visitor() -> Visitor:
    """The visitor of the present session."""
    has_key, is_alone = has_host_key(), _is_alone()
    return Visitor(_owner(), is_host=has_key or is_alone, may_change_all=has_key or (is_alone and sees_all()))


def has_host_key() -> bool:
    """Whether this browser was given the host's key."""
    return is_host_proof(_cookie(HOST_COOKIE))


def sees_all() -> bool:
    """Whether the table shows everybody's runs: a host may ask for that."""
    return bool(st.session_state.get(SEES_ALL)) and (_is_alone() or has_host_key())


@cache
def _is_alone() -> bool:
    """Whether this is one person's own machine, which nobody else can reach."""
    settings = Settings.from_environment()
    names = {name.strip().lower() for name in settings.allowed_hosts.split(",") if name.strip()}
    return not secrets().host_key and settings.profile == "laptop" and names <= LOOPBACK


def new_token() -> str:
    """A token that opens a space which nobody has used before."""
    return token_urlsafe(32)


def is_token(text: str) -> bool:
    """Whether a text from a browser has the form of a token."""
    return _TOKEN.fullmatch(text) is not None


def space_of(token: str) -> str:
    """The public id of the space that a token opens."""
    return hashlib.sha256(f"layerwise space {token}".encode()).hexdigest()[:32]


def space_of_login(issuer: str, subject: str) -> str:
    """The public id of the space of somebody who has logged in: of the issuer's name for them, which no other person gets."""
    return hashlib.sha256(f"layerwise login {json.dumps([issuer, subject])}".encode()).hexdigest()[:32]


def kept_token() -> str:
    """The token in the browser's cookie; empty where it keeps none."""
    cookie = _cookie(TOKEN_COOKIE)
    return cookie if is_token(cookie) else ""


def login() -> str | None:
    """The name of who has logged in here; None without a login. Empty where the provider tells no name."""
    return _login_of("name") if _is_logged_in() else None


def offers_login() -> bool:
    """Whether people can log in on this server."""
    return secrets().login is not None


def asks_for_host_key() -> bool:
    """Whether one becomes the host of this server by a key."""
    return bool(secrets().host_key)


def host_proof() -> str:
    """What stands in the cookie of the host: not the key itself."""
    return proof("host", secrets().host_key, HOST_S)


def is_host_proof(text: str) -> bool:
    """Whether this cookie shows that its browser was given the host's key."""
    return is_proof(text, "host", secrets().host_key)


def may_change(record: RunRecord) -> bool:
    """Whether this visitor may stop, change or delete the run; the supervisor asks the same again."""
    return may_change_owned(record.owner)


def may_change_owned(owned: str) -> bool:
    """The same for what belongs to this owner."""
    present = visitor()
    return may_be_changed(owned, present.owner, is_host=present.may_change_all)


def _owner() -> str:
    if _is_logged_in():
        return space_of_login(_login_of("iss"), _login_of("sub"))
    return space_of(kept_token() or st.session_state.setdefault(SESSION_ONLY, new_token()))


def _is_logged_in() -> bool:
    """Only with issuer and subject: an e-mail address or a name may belong to another person tomorrow."""
    if secrets().login is None or st.user.get("is_logged_in") is not True:
        return False
    return bool(_login_of("iss") and _login_of("sub"))


def _cookie(name: str) -> str:
    value = st.context.cookies.get(name, "")
    return value if isinstance(value, str) else ""  # a test of a page has a client that is none


def _login_of(field: str) -> str:
    value = st.user.get(field)
    return value if isinstance(value, str) else ""
