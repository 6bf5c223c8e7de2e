"""The live stream of a room's board: one WebSocket per viewer, binary frames, no script reruns."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import StoreError
from core.store.rooms import ROOM_ID
from dashboard.room_stream import BROKEN, NO_STORE, POLICY, SLOWEST_S, UNKNOWN_ROOM
from dashboard.security import is_same_origin
from dashboard.session.board import Board, BoardHub
from dashboard.session.room_follow import UnknownRoom

log = logging.getLogger(__name__)

PATH = "/api/rooms/{room}/board"


def board_route(hub: Callable[[], BoardHub]) -> WebSocketRoute:
    """The route that serves the board of every room of `hub()`; its close codes are those of the room's own stream."""

    async def live(socket: WebSocket) -> None:
        if not is_same_origin(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(POLICY)
            return
        await socket.accept()
        room = socket.path_params["room"]
        if ROOM_ID.fullmatch(room):
            await _serve(socket, hub().get(room))
        else:
            await socket.close(UNKNOWN_ROOM)

    return WebSocketRoute(PATH, live)


async def _serve(socket: WebSocket, board: Board) -> None:
    """Send until the room is closed or the viewer leaves."""
    sending = asyncio.create_task(_send(socket, board))
    leaving = asyncio.create_task(_until_left(socket))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        results = await asyncio.gather(sending, leaving, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError | TimeoutError):
            log.error("The board of a room broke.", exc_info=result)
    code = results[0] if isinstance(results[0], int) else BROKEN
    with suppress(RuntimeError, WebSocketDisconnect):  # the viewer has closed already
        await socket.close(code)


async def _send(socket: WebSocket, board: Board) -> int:
    """The code to close with."""
    messages = board.messages()
    try:
        async for message in messages:
            await asyncio.wait_for(socket.send_bytes(message), SLOWEST_S)
    except UnknownRoom:
        return UNKNOWN_ROOM
    except StoreError as error:
        log.warning("The board of a room cannot be read: %s", error)
        return NO_STORE
    finally:
        await messages.aclose()  # type: ignore[attr-defined]
    return UNKNOWN_ROOM


async def _until_left(socket: WebSocket) -> None:
    """What a viewer says means nothing; that it has gone does."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
