"""Who may come in: where there is an access code, nobody without it."""

from http import HTTPStatus

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboard.entrance.page import Said
from dashboard.entrance.places import code_page, here
from dashboard.secrets import Secrets, is_proof
from dashboard.security import refuse

ENTERED_COOKIE = "layerwise_entered"
ENTER = "/enter"
OPEN = frozenset({"/healthz", ENTER})
"""What answers before the access code was given: whether the server lives, and where to give the code."""


class AccessGate:
    """Lets only those in who have given the access code: no page, no socket, no script, no route answers others."""

    def __init__(self, app: ASGIApp, secrets: Secrets) -> None:
        self.app = app
        self.code = secrets.access_code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = scope["type"] in ("http", "websocket") and self.code != ""
        if not is_asked or scope["path"] in OPEN or has_pass(HTTPConnection(scope), self.code):
            await self.app(scope, receive, send)
        elif scope["type"] == "http" and _wants_page(Request(scope)):
            await code_page(Said(here(Request(scope)), status=HTTPStatus.UNAUTHORIZED))(scope, receive, send)
        else:
            await refuse(HTTPStatus.UNAUTHORIZED, "This server asks for an access code: open /enter.", scope, receive, send)


def has_pass(connection: HTTPConnection, code: str) -> bool:
    """Whether this browser was given the present access code."""
    return is_proof(connection.cookies.get(ENTERED_COOKIE, ""), "access", code)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")
