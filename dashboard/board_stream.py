"""The live stream of a room's board: one WebSocket per viewer, binary frames, no script reruns."""

from collections.abc import Callable

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from core.store.rooms import ROOM_ID
from dashboard.room_stream import SLOWEST_S
from dashboard.security import is_same_origin
from dashboard.sending import GONE, POLICY, serve
from dashboard.session.board import BoardHub

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
            await serve(socket, hub().get(room).messages(), "The board of a room", at_end=GONE, patience_s=SLOWEST_S)
        else:
            await socket.close(GONE)

    return WebSocketRoute(PATH, live)
