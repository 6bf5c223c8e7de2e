"""Sends messages to one WebSocket until there are no more or its viewer leaves: what all live streams of this server share."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from core.errors import StoreError
from dashboard.session.follow import UnknownRun
from dashboard.session.room_follow import UnknownRoom

log = logging.getLogger(__name__)

DONE, POLICY, BROKEN, GONE, NO_STORE = 1000, 1008, 1011, 4404, 4503
"""Close codes: all was sent; a stranger, or a viewer that speaks; try again; there is no such thing (any more); the store
cannot be read."""


async def serve(
    socket: WebSocket, messages: AsyncIterator[str | bytes], what: str, *, at_end: int = DONE, patience_s: float | None = None
) -> None:
    """Send until there are no more messages, or the viewer leaves, or speaks.

    Args:
        what: is sent, for the log.
        at_end: the code to close with after the last message.
        patience_s: a viewer that takes no message for so long is hung up on; None for never.
    """
    sending = asyncio.create_task(_send(socket, messages, what, at_end, patience_s))
    leaving = asyncio.create_task(_until_left(socket))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        results = await asyncio.gather(sending, leaving, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | RuntimeError | TimeoutError):
            log.error("%s broke off.", what, exc_info=result)
    code = next((result for result in results if isinstance(result, int)), BROKEN)
    with suppress(RuntimeError, WebSocketDisconnect):  # the viewer has closed already
        await socket.close(code)


async def _send(
    socket: WebSocket, messages: AsyncIterator[str | bytes], what: str, at_end: int, patience_s: float | None
) -> int:
    """The code to close with."""
    try:
        async for message in messages:
            async with asyncio.timeout(patience_s):  # not wait_for: in Python 3.11 that may lose the end of this task
                await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))
    except (UnknownRun, UnknownRoom):
        return GONE
    except StoreError as error:
        log.warning("%s cannot be read: %s", what, error)
        return NO_STORE
    finally:
        await messages.aclose()  # type: ignore[attr-defined]
    return at_end


async def _until_left(socket: WebSocket) -> int:
    """The code to close with once the viewer has left, or has spoken: viewers listen, and nothing that one sends is kept."""
    message = await socket.receive()
    return POLICY if message["type"] == "websocket.receive" else BROKEN
