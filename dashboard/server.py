"""The ASGI entry: `streamlit run dashboard/server.py`."""

import asyncio
import gc
import gzip
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # streamlit runs this file by its path
    sys.path.insert(0, str(ROOT))

import plotly  # noqa: E402
import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse, Response  # noqa: E402
from starlette.routing import BaseRoute, Route  # noqa: E402

from core.errors import LayerwiseError  # noqa: E402
from core.logs import logging_to  # noqa: E402
from core.process import share_heaps, switch_threads_often  # noqa: E402
from core.settings import Settings  # noqa: E402
from dashboard.board_stream import board_route  # noqa: E402
from dashboard.components import shared  # noqa: E402
from dashboard.entrance.cookies import SpaceCookie  # noqa: E402
from dashboard.entrance.gate import AccessGate  # noqa: E402
from dashboard.entrance.login import LoginGate, streamlit_secrets  # noqa: E402
from dashboard.entrance.routes import Entrance  # noqa: E402
from dashboard.health import health_route  # noqa: E402
from dashboard.room_stream import room_route  # noqa: E402
from dashboard.secrets import Secrets, check, secrets  # noqa: E402
from dashboard.security import OriginGuard, SecurityHeaders  # noqa: E402
from dashboard.session.board import BoardHub  # noqa: E402
from dashboard.session.clicks import keep_every_click  # noqa: E402
from dashboard.session.follow import FollowerHub  # noqa: E402
from dashboard.session.present import PAGES  # noqa: E402
from dashboard.session.room_follow import RoomHub  # noqa: E402
from dashboard.session.vitals import SAMPLE_S, vitals  # noqa: E402
from dashboard.stream import live_route  # noqa: E402
from dashboard.uploads import UploadLimit  # noqa: E402

log = logging.getLogger("layerwise.server")

ENSURE_S = 5.0
FOR_GOOD = "public, max-age=31536000, immutable"
JAVASCRIPT = "text/javascript; charset=utf-8"
OPEN = Secrets()
"""A server without secrets: nobody is asked for anything."""


@cache
def _plotly_gzip() -> bytes:
    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return gzip.compress(script.read_bytes(), compresslevel=6)


async def plotly_js(request: Request) -> Response:
    """plotly.js as it comes with the plotly package, compressed once."""
    etag = f'"plotly-{plotly.__version__}"'
    headers = {"etag": etag, "cache-control": "public, max-age=86400", "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    body = await asyncio.to_thread(_plotly_gzip)
    return Response(body, media_type=JAVASCRIPT, headers={**headers, "content-encoding": "gzip"})


async def component_script(request: Request) -> Response:
    """One script of a component; the version in the address makes it cacheable for good."""
    script = shared.scripts().get(request.path_params["name"])
    if script is None:
        return Response("There is no such script.", 404)
    is_current = request.path_params["version"] == shared.version()
    return Response(script, media_type=JAVASCRIPT, headers={"cache-control": FOR_GOOD if is_current else "no-store"})


async def healthz(request: Request) -> Response:
    """Says that the server answers."""
    return JSONResponse({"status": "ok"})


def routes(hub: Callable[[], FollowerHub], given: Secrets = OPEN, health: BaseRoute | None = None) -> list[BaseRoute]:
    """All that is served besides the pages; without a `health`, one that says that the server answers."""
    return [
        health or Route("/healthz", healthz),
        Route(shared.PLOTLY, plotly_js),
        Route(shared.PREFIX + "/{version}/{name}", component_script),
        live_route(hub),
        *Entrance(given).routes(),
    ]


def middleware(settings: Settings, given: Secrets = OPEN) -> list[Middleware]:
    """The guards, outermost first."""
    return [
        Middleware(SecurityHeaders),
        Middleware(OriginGuard, allowed_hosts=settings.allowed_hosts.split(",")),
        Middleware(AccessGate, secrets=given),
        Middleware(LoginGate, login=given.login, is_required=settings.login_required, is_guarded=_is_ours),
        Middleware(SpaceCookie),
        Middleware(UploadLimit, settings=settings),
    ]


def _is_ours(path: str) -> bool:
    """Whether nothing but the pages needs this path."""
    return path.startswith("/api/")


def lifespan(
    ensure_pool: Callable[[], None],
    watch: Callable[[], object] = lambda: None,
    logs: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """What runs beside the pages: `ensure_pool` and `watch`, again and again, and the warm-up. None delays a visitor.

    Args:
        logs: where lines are logged in the meantime.
    """

    @asynccontextmanager
    async def living(app: Any) -> AsyncIterator[None]:
        switch_threads_often()
        share_heaps()
        keep_every_click()
        with logs():
            warming = asyncio.create_task(asyncio.to_thread(_warm))
            lasting = [asyncio.create_task(_ensure_for_ever(ensure_pool)), asyncio.create_task(_watch_for_ever(watch))]
            yield
            for task in lasting:
                task.cancel()
            await asyncio.gather(warming)
            await asyncio.gather(*lasting, return_exceptions=True)

    return living


async def _watch_for_ever(watch: Callable[[], object]) -> None:
    while True:
        try:
            await asyncio.to_thread(watch)
        except (LayerwiseError, OSError) as error:
            log.warning("This server could not look at itself: %s", error)
        await asyncio.sleep(SAMPLE_S)


async def _ensure_for_ever(ensure_pool: Callable[[], None]) -> None:
    """A supervisor that died is started again, also when nobody asks for anything."""
    told = ""
    while True:
        try:
            await asyncio.to_thread(ensure_pool)
            told = ""
        except (LayerwiseError, OSError, ValueError) as error:  # a full disk, or a stranger on the socket
            if str(error) != told:  # not the same again every few seconds
                told = str(error)
                log.error("No worker can be started yet: %s", error)
        await asyncio.sleep(ENSURE_S)


def _warm() -> None:
    """Do what the first visitor would wait for, then keep the collector from walking over all that is loaded."""
    import pandas  # noqa: F401  # the first table would wait a second for it
    import plotly.graph_objects  # noqa: F401

    _plotly_gzip()
    gc.collect()
    gc.freeze()


@cache
def hub() -> FollowerHub:
    """The followers of this server, over the one reader that the screens use too."""
    from dashboard.session import resources

    return FollowerHub(resources.reader(), resources.places().of)


@cache
def rooms() -> RoomHub:
    """The followers of rooms of this server."""
    from dashboard.session import resources

    return RoomHub(resources.reader())


@cache
def boards() -> BoardHub:
    """The boards of rooms of this server."""
    from dashboard.session import resources

    return BoardHub(resources.reader())


def ensure_pool() -> None:
    """Start the supervisor if none is there, and tell it whose pages are open.

    Raises:
        PoolError: it could not be started.
    """
    from dashboard.session import resources

    resources.pool().ensure_supervisor()
    resources.pool().say_present(PAGES.owners())


def _server_logs() -> AbstractContextManager[None]:
    """The server's log: on standard error and in its file, with what Streamlit says, without any secret."""
    given = secrets()
    login = (given.login.client_secret, given.login.cookie_secret) if given.login else ()
    file = SETTINGS.home / "logs" / "server.log"
    return logging_to(file, "server", SETTINGS.log_format, hide=(given.access_code, given.host_key, *login), adopt="streamlit")


SETTINGS = Settings.from_environment()
check(secrets(), login_required=SETTINGS.login_required)

vitals().count("runs", lambda: hub().n_viewers())
vitals().count("rooms", lambda: rooms().n_viewers())
vitals().count("boards", lambda: boards().n_viewers())

# streamlit finds the app by these very words: `app = st.App(`
app = st.App(
    Path(__file__).with_name("app.py"),
    lifespan=lifespan(ensure_pool, vitals().sample, _server_logs),
    middleware=middleware(SETTINGS, secrets()),
    routes=[*routes(hub, secrets(), health_route(vitals().pulse)), room_route(rooms), board_route(boards)],
    secrets=streamlit_secrets(secrets().login),
)
