"""The route `/healthz`: whether this server can work, for whoever looks after it. It tells nothing of anybody's."""

import asyncio
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core import VERSION
from dashboard.session.vitals import Pulse

PATH = "/healthz"
KEPT_S = 1.0
"""However often it is asked, the parts are looked at once in this time."""
PATIENCE_S = 4.0


class HealthRoute:
    """Answers 200 while the store can be read and the supervisor answers, else 503. Never waits on the event loop.

    Args:
        look: looks at the parts; called in a thread.
    """

    def __init__(self, look: Callable[[], Pulse]) -> None:
        self._look = look
        self._began = 0.0
        self._looking: asyncio.Task[Pulse] | None = None

    async def __call__(self, request: Request) -> Response:
        """The answer, at most a second old."""
        pulse = await self._pulse()
        status = pulse.status if pulse else None
        is_well = pulse is not None and pulse.is_well
        body = {
            "status": "ok" if is_well else "degraded",
            "version": VERSION,
            "store": pulse is not None and pulse.is_store_there,
            "supervisor": status is not None,
            "warm": status is not None and status.is_warm,
            "running": status.running if status else None,
            "queued": status.queued if status else None,
        }
        return JSONResponse(body, 200 if is_well else 503, headers={"cache-control": "no-store"})

    async def _pulse(self) -> Pulse | None:
        """The last look, or a new one, which all who ask meanwhile share; None when it takes too long or fails."""
        task = self._looking
        if task is None or (task.done() and time.monotonic() - self._began > KEPT_S):
            self._began = time.monotonic()
            self._looking = task = asyncio.create_task(asyncio.to_thread(self._look))
        done, _waiting = await asyncio.wait({task}, timeout=PATIENCE_S)
        return task.result() if done and task.exception() is None else None


def health_route(look: Callable[[], Pulse]) -> Route:
    """The route, to be put beside the pages."""
    answer = HealthRoute(look)

    async def healthz(request: Request) -> Response:
        return await answer(request)

    return Route(PATH, healthz)
