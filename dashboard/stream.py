"""The live stream of a run: one WebSocket per viewer, binary frames, no script reruns."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import StoreError
from dashboard.security import is_same_origin
from dashboard.session.follow import FollowerHub, UnknownRun

log = logging.getLogger(__name__)

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
PATH = "/api/runs/{run_id}/live"
UNKNOWN_RUN = 4404
BAD_REQUEST = 4400
NO_STORE = 4503
DONE = 1000
BROKEN = 1011
POLICY = 1008
MAX_STEP = 2**31


def live_route(hub: Callable[[], FollowerHub]) -> WebSocketRoute:
    """The route that serves every run of `hub()`.

    With `patient=1` a run that has ended but may be resumed is watched on: then what comes next is sent too.

    Close codes: 1000 the run is over and everything was sent; 4404 no such run; 4400 a bad cursor; 4503 the store cannot
    be read; 1008 a viewer that speaks; 1011 something went wrong, try again. They come after accept, since a browser is
    not told the reason of an earlier refusal.
    """

    async def live(socket: WebSocket) -> None:
        if not is_same_origin(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(POLICY)
            return
        await socket.accept()
        run_id = socket.path_params["run_id"]
        since, generation = (_number(socket, name, default) for name, default in (("since", 0), ("generation", -1)))
        if not RUN_ID.fullmatch(run_id):
            await socket.close(UNKNOWN_RUN)
        elif since is None or generation is None:
            await socket.close(BAD_REQUEST)
        else:
            is_patient = socket.query_params.get("patient") == "1"
            await _serve(socket, hub().get(run_id).messages(since=since, generation=generation, is_patient=is_patient))

    return WebSocketRoute(PATH, live)


def _number(socket: WebSocket, name: str, default: int) -> int | None:
    text = socket.query_params.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,10}", text):
        return None
    return max(-1, min(MAX_STEP, int(text)))


async def _serve(socket: WebSocket, messages: AsyncIterator[bytes]) -> None:
    """Send until the run is over or the viewer leaves."""
    sending = asyncio.create_task(_send(socket, messages))
    leaving = asyncio.create_task(_until_left(socket))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        results = await asyncio.gather(sending, leaving, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError):
            log.error("The live stream of a run broke.", exc_info=result)
    code = next((result for result in results if isinstance(result, int)), BROKEN)
    with suppress(RuntimeError, WebSocketDisconnect):  # the viewer has closed already
        await socket.close(code)


async def _send(socket: WebSocket, messages: AsyncIterator[bytes]) -> int:
    """The code to close with."""
    try:
        async for message in messages:
            await socket.send_bytes(message)
    except UnknownRun:
        return UNKNOWN_RUN
    except StoreError as error:
        log.warning("A run cannot be read: %s", error)
        return NO_STORE
    finally:
        await messages.aclose()  # type: ignore[attr-defined]
    return DONE


async def _until_left(socket: WebSocket) -> int:
    """The code to close with once the viewer has left, or has spoken: viewers listen, and nothing that one sends is kept."""
    message = await socket.receive()
    return POLICY if message["type"] == "websocket.receive" else BROKEN
