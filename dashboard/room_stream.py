"""The live stream of a room: one WebSocket per follower, a few letters per change."""

from collections.abc import Callable

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from core.store.rooms import ROOM_ID
from dashboard.security import is_same_origin
from dashboard.sending import GONE, POLICY, serve
from dashboard.session.room_follow import RoomHub

PATH = "/api/rooms/{room}/live"
SLOWEST_S = 20.0
"""A viewer that takes no message for so long is hung up on; its page comes again when it can."""


def room_route(hub: Callable[[], RoomHub]) -> WebSocketRoute:
    """The route that tells the followers of every room of `hub()` when something else is shown.

    Close codes: 4404 no such room (any more); 4503 the store cannot be read; 1008 a viewer that speaks; 1011 something went
    wrong, try again. They come after accept, since a browser is not told the reason of an earlier refusal.
    """

    async def live(socket: WebSocket) -> None:
        if not is_same_origin(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(POLICY)
            return
        await socket.accept()
        room = socket.path_params["room"]
        if ROOM_ID.fullmatch(room):
            messages = hub().get(room).messages(is_counted=socket.query_params.get("part", "follow") == "follow")
            await serve(socket, messages, "The live stream of a room", at_end=GONE, patience_s=SLOWEST_S)
        else:
            await socket.close(GONE)

    return WebSocketRoute(PATH, live)
