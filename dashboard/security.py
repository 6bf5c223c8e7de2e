"""What the server refuses, and what it tells browsers to refuse."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSP = "; ".join(
    (
        "default-src 'self'",
        # Streamlit compiles component code from blobs and Plotly compiles functions
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",  # 'self' covers WebSockets to this host
        "worker-src 'self' blob:",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cross-origin-opener-policy": "same-origin",
}
SECURE_ONLY = "cross-origin-opener-policy"
"""Browsers ignore it, and complain, where a page came over a plain connection from another machine."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
POLICY_VIOLATION = 1008
CLOSED = frozenset({"/_stcore/metrics"})
"""What Streamlit would tell anybody about the server, at some cost: the host has the Health page for it."""


def is_same_origin(origin: str | None, host: str | None) -> bool:
    """Whether a request with these headers comes from our own page, or from no page at all (no Origin)."""
    return origin is None or (host is not None and host != "" and place_of(origin) == host.lower())


def place_of(address: str) -> str:
    """Host and port of an address, in lower case; empty where it is none."""
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:  # such as "http://[x"
        return ""


def host_name(host: str | None) -> str:
    """The name in a Host header, without its port, in lower case."""
    host = (host or "").strip().lower()
    return host.split("]")[0] + "]" if host.startswith("[") else host.rsplit(":", 1)[0]


class OriginGuard:
    """Refuses requests under a foreign host name (400) or from a foreign page (403).

    A foreign host name is how DNS rebinding reaches a local server. A foreign page must not reach Streamlit's WebSocket at
    all: Streamlit's own check of an unknown origin blocks the event loop on calls to the internet.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str]) -> None:
        self.app = app
        self.allowed_hosts = frozenset(host.strip().lower() for host in allowed_hosts if host.strip())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "*" not in self.allowed_hosts and host_name(headers.get("host")) not in self.allowed_hosts:
            await refuse(HTTPStatus.BAD_REQUEST, "This host name is not allowed.", scope, receive, send)
        elif not is_same_origin(headers.get("origin"), headers.get("host")):
            await refuse(HTTPStatus.FORBIDDEN, "Requests from other pages are not allowed.", scope, receive, send)
        elif scope["path"].rstrip("/") in CLOSED:
            await refuse(HTTPStatus.NOT_FOUND, "There is nothing here.", scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def refuse(status: HTTPStatus, reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with a status and a sentence; a socket is closed before it is open, which the other end sees as 403."""
    if scope["type"] == "websocket":  # a close before accept becomes 403
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason})
    else:
        await PlainTextResponse(reason, status)(scope, receive, send)


class SecurityHeaders:
    """Adds HEADERS to every response, as far as its connection is one for which browsers take them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    if name != SECURE_ONLY or _is_trustworthy(scope):
                        headers[name] = value
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _is_trustworthy(scope: Scope) -> bool:
    """Whether browsers hold this connection to be secure: encrypted, or to this very machine."""
    return scope.get("scheme") == "https" or host_name(Headers(scope=scope).get("host")) in LOOPBACK
