"""Who looks at this page: the owner of a space, known by an unguessable token in a cookie of the browser, or by a login.

The token never leaves the cookie: the store, the logs and other visitors know the space by a digest of it.
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from secrets import token_urlsafe

import streamlit as st

from core.jobs.pool.ownership import may_change as may_be_changed
from core.settings import Settings
from core.store.protocol import RunRecord
from dashboard.secrets import secrets

TOKEN_COOKIE, HOST_COOKIE = "layerwise_space", "layerwise_host"
TOKEN = "visitor.token"  # nosec B105 # a key of the session, no token
"""The token of a session whose browser keeps no cookies."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """One who looks at a page."""

    owner: str
    """The public id of the space: 32 hexadecimal digits."""
    is_host: bool
    """Sees how the server is doing."""
    may_change_all: bool
    """May stop, change and delete everybody's runs: has given the host's key."""


def visitor() -> Visitor:
    """The visitor of the present session."""
    has_key = is_host_proof(st.context.cookies.get(HOST_COOKIE, ""))
    return Visitor(space_of(_token()), is_host=has_key or _is_alone(), may_change_all=has_key)


@cache
def _is_alone() -> bool:
    """Whether this is one person's own machine."""
    return not secrets().host_key and Settings.from_environment().profile == "laptop"


def space_of(token: str) -> str:
    """The public id of the space that a token opens."""
    return hashlib.sha256(f"layerwise space {token}".encode()).hexdigest()[:32]


def host_proof() -> str:
    """What stands in the cookie of the host: not the key itself."""
    return hmac.new(secrets().host_key.encode(), b"layerwise host", "sha256").hexdigest()


def is_host_proof(text: str) -> bool:
    """Whether this cookie shows that its browser was given the host's key."""
    return bool(secrets().host_key) and hmac.compare_digest(text.encode(), host_proof().encode())


def may_change(record: RunRecord) -> bool:
    """Whether this visitor may stop, change or delete the run; the supervisor asks the same again."""
    present = visitor()
    return may_be_changed(record.owner, present.owner, is_host=present.may_change_all)


def _token() -> str:
    cookie = st.context.cookies.get(TOKEN_COOKIE, "")
    return cookie or st.session_state.setdefault(TOKEN, token_urlsafe(32))
