"""The cookies of this server: which there are, and how they are set. No script can read them, no other site can use them."""

from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.secrets import DAY_S
from dashboard.session.visitor import TOKEN_COOKIE, is_token, new_token

SPACE_S = 400 * DAY_S
"""As long as browsers keep a cookie at most."""


def set_cookie(response: Response, name: str, value: str, *, lifetime_s: float, connection: HTTPConnection) -> None:
    """Give a cookie to the browser that asked."""
    response.headers.append("set-cookie", cookie(name, value, lifetime_s=lifetime_s, is_secure=is_secure(connection.scope)))


def cookie(name: str, value: str, *, lifetime_s: float, is_secure: bool) -> str:
    """The header that sets a cookie for the whole site; a lifetime of 0 takes it away."""
    jar: SimpleCookie = SimpleCookie({name: value})
    jar[name].update({"path": "/", "max-age": int(lifetime_s), "httponly": True, "samesite": "Lax", "secure": is_secure})
    return jar.output(header="").strip()


def is_secure(scope: Scope) -> bool:
    """Whether the browser came by https. A proxy's word for it is in the scheme where uvicorn trusts that proxy."""
    return scope.get("scheme") in ("https", "wss")


class SpaceCookie:
    """Gives every browser that has none a token of its own, together with the page. All tabs of a browser share it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_token(HTTPConnection(scope).cookies.get(TOKEN_COOKIE, "")):
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(scope, message):
                headers = MutableHeaders(scope=message)
                if not any(given.startswith(f"{TOKEN_COOKIE}=") for given in headers.getlist("set-cookie")):
                    fresh = cookie(TOKEN_COOKIE, new_token(), lifetime_s=SPACE_S, is_secure=is_secure(scope))
                    headers.append("set-cookie", fresh)
                    headers["cache-control"] = "no-store"  # nobody else may get this one
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _is_page(scope: Scope, message: Message) -> bool:
    """Whether this answers for a whole page, be it that the browser has the page already."""
    if message["status"] == 304:
        return "text/html" in HTTPConnection(scope).headers.get("accept", "")
    return MutableHeaders(scope=message).get("content-type", "").startswith("text/html")
