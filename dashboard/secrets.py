"""Secrets of the server, from the environment alone. They are shown nowhere, logged nowhere, and given to no other process.

What a browser keeps is never a secret of the server, but a proof that it was given there: signed, and only for a time.
"""

import hmac
import logging
import os
import secrets as randomness
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from core.errors import SpecError
from core.settings import Settings

log = logging.getLogger("layerwise.entrance")

DAY_S = 86_400.0
PASS_S, HOST_S, LOGIN_S = 7 * DAY_S, 2 * DAY_S, 30 * DAY_S
"""How long the proof of the access code, of the host's key and of a login hold."""
KEY_FILE = "entrance.key"
KEY_BYTES = 32
OIDC = ("CLIENT_ID", "CLIENT_SECRET", "METADATA_URL", "REDIRECT_URI", "COOKIE_SECRET")
MIN_COOKIE_SECRET = 32


@dataclass(frozen=True, slots=True)
class Login:
    """How to ask an OpenID provider who somebody is: `LAYERWISE_OIDC_<NAME>`, all of them."""

    client_id: str
    client_secret: str = field(repr=False)
    metadata_url: str
    redirect_uri: str
    """The address of this server, as people see it, with the path `/oauth2callback`."""
    cookie_secret: str = field(repr=False)
    """Signs the cookie that says who has logged in."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Each is empty where it is not set."""

    access_code: str = field(default="", repr=False)
    """`LAYERWISE_ACCESS_CODE`: what a visitor types before anything is shown; empty for an open server."""
    host_key: str = field(default="", repr=False)
    """`LAYERWISE_HOST_KEY`: makes a visitor the host, who sees the health page and may stop any run."""
    login: Login | None = None
    """A provider with whom people can log in."""


@cache
def secrets() -> Secrets:
    """The secrets of this process, read once.

    Raises:
        SpecError: a login is configured in parts; the message names what is missing.
    """
    return Secrets(_given("ACCESS_CODE"), _given("HOST_KEY"), _login())


def check(given: Secrets, *, login_required: bool) -> None:
    """Refuse a server that nobody could enter.

    Raises:
        SpecError: a login is required, and there is no provider.
    """
    if login_required and given.login is None:
        raise SpecError(
            "LAYERWISE_LOGIN_REQUIRED is set, but no provider is.",
            hint=f"Set {', '.join(f'LAYERWISE_OIDC_{name}' for name in OIDC)}.",
        )


def proof(purpose: str, secret: str, lifetime_s: float) -> str:
    """What a browser may keep to show that it was given this secret: when that ends, and a signature."""
    ends = f"{int(time.time() + lifetime_s)}"
    return f"{ends}.{_signature(purpose, secret, ends)}"


def is_proof(text: str, purpose: str, secret: str) -> bool:
    """Whether this is an unexpired proof of the secret as it is now; of no secret there is none."""
    ends, _dot, signature = text.partition(".")
    if not secret or not (ends.isascii() and ends.isdigit() and len(ends) < 12):
        return False
    is_ours = hmac.compare_digest(signature.encode(), _signature(purpose, secret, ends).encode())
    return is_ours and time.time() < int(ends)


def is_same(given: str, secret: str) -> bool:
    """Whether somebody gave the secret, in a time that tells nothing of it; of no secret nobody can."""
    return bool(secret) and hmac.compare_digest(given.strip().encode(), secret.encode())


def _signature(purpose: str, secret: str, ends: str) -> str:
    return hmac.new(_signing_key(), "\0".join((purpose, secret, ends)).encode(), "sha256").hexdigest()


@cache
def _signing_key() -> bytes:
    """Random, and kept in the data folder, so that a server that starts again knows its visitors.

    Were proofs signed with the code alone, whoever tries cookies could guess it past all limits on wrong codes.
    """
    place = Settings.from_environment().home / KEY_FILE
    try:
        return _kept_key(place)
    except OSError as error:
        log.warning("Proofs of the access code will not outlive this process: %s", error)
        return randomness.token_bytes(KEY_BYTES)


def _kept_key(place: Path) -> bytes:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not place.exists() or place.stat().st_size != KEY_BYTES:
        draft = place.with_suffix(f".{randomness.token_hex(4)}")
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(randomness.token_bytes(KEY_BYTES))
        draft.replace(place)
    return place.read_bytes()


def _login() -> Login | None:
    values = {name: _given(f"OIDC_{name}") for name in OIDC}
    if not any(values.values()):
        return None
    if missing := [f"LAYERWISE_OIDC_{name}" for name, value in values.items() if not value]:
        raise SpecError(f"A login needs {', '.join(missing)} too.", hint="Set all of LAYERWISE_OIDC_*, or none.")
    if not values["REDIRECT_URI"].endswith("/oauth2callback"):
        raise SpecError(
            "LAYERWISE_OIDC_REDIRECT_URI must end with /oauth2callback.",
            hint="It is the address of this server as people see it, such as https://learn.example/oauth2callback.",
        )
    if len(values["COOKIE_SECRET"]) < MIN_COOKIE_SECRET:
        raise SpecError(
            f"LAYERWISE_OIDC_COOKIE_SECRET needs at least {MIN_COOKIE_SECRET} characters.",
            hint='Make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
        )
    return Login(**{name.lower(): value for name, value in values.items()})


def _given(name: str) -> str:
    return os.environ.get(f"LAYERWISE_{name}", "").strip()
