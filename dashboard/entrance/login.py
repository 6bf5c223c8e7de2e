"""What goes with a login by OpenID Connect, which is Streamlit's own: its settings, the way back, and a guard of our routes.

Streamlit keeps who has logged in in a cookie of its own making. When it sets that cookie a proof of ours goes with it, so that
no private part of Streamlit is needed to know at a route of ours that somebody has logged in.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.entrance.cookies import cookie, is_secure
from dashboard.entrance.places import safe_place
from dashboard.secrets import LOGIN_S, Login, is_proof, proof
from dashboard.security import is_same_origin, refuse

LOGIN_COOKIE, NEXT_COOKIE = "layerwise_login", "layerwise_next"
START, CALLBACK, LOGOUT = "/auth/login", "/oauth2callback", "/auth/logout"
IDENTITY = "_streamlit_user="
"""How the cookie begins by which Streamlit knows who has logged in."""
NEXT_S = 600.0
MAX_NEXT = 3000
"""Browsers drop larger cookies."""


def streamlit_secrets(login: Login | None) -> dict[str, Any] | None:
    """What Streamlit wants to know of the provider; None without a login, and then it loads nothing for it."""
    if login is None:
        return None
    auth = {
        "redirect_uri": login.redirect_uri,
        "cookie_secret": login.cookie_secret,
        "client_id": login.client_id,
        "client_secret": login.client_secret,
        "server_metadata_url": login.metadata_url,
    }
    return {"auth": auth}


class LoginGate:
    """Where a login is required, our own routes answer only those who have logged in: the pages ask for it themselves.

    Args:
        login: the provider; without one nothing is done.
        is_required: whether strangers are refused.
        is_guarded: which paths they are refused.
    """

    def __init__(self, app: ASGIApp, login: Login | None, is_required: bool, is_guarded: Callable[[str], bool]) -> None:
        self.app = app
        self.secret = login.cookie_secret if login else ""
        self.is_required = is_required
        self.is_guarded = is_guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self.secret:
            await self.app(scope, receive, send)
        elif scope["path"] in (START, CALLBACK, LOGOUT):
            await self.app(scope, receive, self._with_cookies(scope, send))
        elif self.is_required and self.is_guarded(scope["path"]) and not self._has_logged_in(HTTPConnection(scope)):
            await refuse(HTTPStatus.UNAUTHORIZED, "Log in first.", scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _has_logged_in(self, connection: HTTPConnection) -> bool:
        return is_proof(connection.cookies.get(LOGIN_COOKIE, ""), "login", self.secret)

    def _with_cookies(self, scope: Scope, send: Send) -> Send:
        """Our proof comes and goes with Streamlit's cookie; and who has logged in gets back to where that began."""
        connection = HTTPConnection(scope)

        def put(headers: MutableHeaders, name: str, value: str, lifetime_s: float) -> None:
            headers.append("set-cookie", cookie(name, value, lifetime_s=lifetime_s, is_secure=is_secure(scope)))

        async def send_with_cookies(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                given = [text for text in headers.getlist("set-cookie") if text.startswith(IDENTITY)]
                if scope["path"] == START:
                    put(headers, NEXT_COOKIE, quote(_began(connection), safe=""), NEXT_S)
                elif given and "max-age=0" in given[-1].lower():
                    put(headers, LOGIN_COOKIE, "", 0)
                elif given:
                    put(headers, LOGIN_COOKIE, proof("login", self.secret, LOGIN_S), LOGIN_S)
                    put(headers, NEXT_COOKIE, "", 0)
                    headers["location"] = safe_place(unquote(connection.cookies.get(NEXT_COOKIE, "/")))
            await send(message)

        return send_with_cookies


def _began(connection: HTTPConnection) -> str:
    """The page of ours from which somebody went to log in; without the experiment where that is too long for a cookie."""
    referer = connection.headers.get("referer", "")
    if not is_same_origin(referer, connection.headers.get("host")):
        return "/"
    page = urlsplit(referer)
    query = page.query
    if len(page.path) + len(query) > MAX_NEXT:
        query = urlencode([(name, value) for name, value in parse_qsl(query) if name != "x"])
    place = safe_place(page.path + (f"?{query}" if query else ""))
    return place if len(place) <= MAX_NEXT else "/"
