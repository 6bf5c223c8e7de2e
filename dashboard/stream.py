"""The live stream of a run: one WebSocket per viewer, binary frames, no script reruns."""

import re
from collections.abc import Callable

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from dashboard.security import is_same_origin
from dashboard.sending import GONE, POLICY, serve
from dashboard.session.follow import FollowerHub

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
PATH = "/api/runs/{run_id}/live"
BAD_REQUEST = 4400
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
            await socket.close(GONE)
        elif since is None or generation is None:
            await socket.close(BAD_REQUEST)
        else:
            is_patient = socket.query_params.get("patient") == "1"
            messages = hub().get(run_id).messages(since=since, generation=generation, is_patient=is_patient)
            await serve(socket, messages, "The live stream of a run")

    return WebSocketRoute(PATH, live)


def _number(socket: WebSocket, name: str, default: int) -> int | None:
    text = socket.query_params.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,10}", text):
        return None
    return max(-1, min(MAX_STEP, int(text)))
