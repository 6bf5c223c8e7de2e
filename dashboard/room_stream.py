"""The live stream of a room: one WebSocket per follower, a few letters per change."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import StoreError
from core.store.rooms import ROOM_ID
from dashboard.security import is_same_origin
from dashboard.session.room_follow import RoomFollower, RoomHub, UnknownRoom

log = logging.getLogger(__name__)

PATH = "/api/rooms/{room}/live"
UNKNOWN_ROOM, NO_STORE, BROKEN, POLICY = 4404, 4503, 1011, 1008
SLOWEST_S = 20.0
"""A viewer that takes no message for so long is hung up on; its page comes again when it can."""


def room_route(hub: Callable[[], RoomHub]) -> WebSocketRoute:
    """The route that tells the followers of every room of `hub()` when something else is shown.

    Close codes: 4404 no such room (any more); 4503 the store cannot be read; 1011 something went wrong, try again. They come
    after accept, since a browser is not told the reason of an earlier refusal.
    """

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


async def _serve(socket: WebSocket, follower: RoomFollower) -> None:
    """Send until the room is closed or the viewer leaves."""
    sending = asyncio.create_task(_send(socket, follower))
    leaving = asyncio.create_task(_until_left(socket))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        results = await asyncio.gather(sending, leaving, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError | TimeoutError):
            log.error("The live stream of a room broke.", exc_info=result)
    code = results[0] if isinstance(results[0], int) else BROKEN
    with suppress(RuntimeError, WebSocketDisconnect):  # the viewer has closed already
        await socket.close(code)


async def _send(socket: WebSocket, follower: RoomFollower) -> int:
    """The code to close with."""
    messages = follower.messages(is_counted=socket.query_params.get("part", "follow") == "follow")
    try:
        async for message in messages:
            await asyncio.wait_for(socket.send_text(message), SLOWEST_S)
    except UnknownRoom:
        return UNKNOWN_ROOM
    except StoreError as error:
        log.warning("A room cannot be read: %s", error)
        return NO_STORE
    finally:
        await messages.aclose()  # type: ignore[attr-defined]
    return UNKNOWN_ROOM


async def _until_left(socket: WebSocket) -> None:
    """What a viewer says means nothing; that it has gone does."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
