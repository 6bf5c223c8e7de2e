"""A small server behind the real guards."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient

from core.settings import Settings
from dashboard import secrets as secret_words
from dashboard.entrance.routes import Entrance
from dashboard.entrance.tries import Tries
from dashboard.secrets import Secrets
from dashboard.server import OPEN, healthz, middleware
from dashboard.session import visitor

ORIGIN = "http://localhost:8501"
HTML = {"accept": "text/html,application/xhtml+xml"}


async def page(request) -> Response:
    if request.headers.get("if-none-match"):
        return Response(status_code=304)
    return HTMLResponse("<p>page")


async def script(request) -> Response:
    return PlainTextResponse("script")


async def live(socket) -> None:
    await socket.accept()
    await socket.send_text("live")
    await socket.close()


@pytest.fixture(autouse=True)
def signing(home, monkeypatch) -> None:
    """A signing key of this test alone."""
    secret_words._signing_key.cache_clear()
    yield
    secret_words._signing_key.cache_clear()


@pytest.fixture
def serve(monkeypatch) -> Callable[..., TestClient]:
    """Browsers of a server with these secrets: each has its own cookies."""

    def served(given: Secrets = OPEN, *, tries: Tries | None = None, address: str = "10.0.0.1", **settings) -> TestClient:
        monkeypatch.setattr(visitor, "secrets", lambda: given)
        routes = [
            Route("/healthz", healthz),
            WebSocketRoute("/api/runs/{run}/live", live),
            Route("/app/scripts/one.js", script),
            *Entrance(given, tries).routes(),
            Route("/{path:path}", page),
        ]
        app = Starlette(routes=routes, middleware=middleware(Settings(**settings), given))
        return TestClient(app, base_url=ORIGIN, client=(address, 50_000), follow_redirects=False)

    return served


def post(client: TestClient, path: str, **fields: str) -> Response:
    """What a form of ours posts."""
    return client.post(path, data=fields, headers={"origin": ORIGIN, **HTML})
