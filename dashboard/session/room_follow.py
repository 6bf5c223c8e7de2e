"""One follower per room and server: it asks the store for the number of what is shown, for all who watch.

What is sent is so short that a slow viewer has nothing to catch up with: it gets the newest number when it comes back.
"""

import asyncio
import json
import logging
import secrets
from collections.abc import AsyncIterator
from typing import Protocol

from core.errors import StoreError
from dashboard.session.hub import Hub

log = logging.getLogger(__name__)

TICK_S = 0.15
RETRY_S = 1.0
SERVER = secrets.token_hex(4)
"""Tells this server from the one before it: a page that was made by another one has lost its session, and runs again."""


class SeqReader(Protocol):
    """What is needed of the store."""

    def room_seq(self, room: str) -> int | None:
        """The number of what is shown in a room; None where there is no such room."""


class UnknownRoom(Exception):
    """There is no such room (any more)."""


class RoomFollower:
    """Follows one room for all its viewers. All methods belong to the event loop; only the store is read in a thread."""

    def __init__(self, room: str, reader: SeqReader) -> None:
        self.room = room
        self.n_viewers = 0
        self._n_followers = 0
        self._reader = reader
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._seq: int | None = None

    async def messages(self, *, is_counted: bool = True) -> AsyncIterator[str]:
        """JSON `{"seq": ..., "followers": ..., "server": ...}`, at once and then after each change.

        Args:
            is_counted: whether this viewer is one of the followers.

        Raises:
            UnknownRoom: there is none, or it was closed.
            StoreError: the store cannot be read at all.
        """
        self.n_viewers += 1
        self._count(int(is_counted))
        told = ""
        try:
            if self._task is None or self._task.done():  # what ended it may be over: this viewer asks anew
                self._task = asyncio.create_task(self._follow(), name=f"follow room {self.room}")
            while True:
                message = json.dumps({"seq": self._seq, "followers": self._n_followers, "server": SERVER})
                if self._seq is not None and message != told:
                    told = message
                    yield message
                else:
                    await self._next_tick()
        finally:
            self.n_viewers -= 1
            self._count(-int(is_counted))

    def _count(self, more: int) -> None:
        self._n_followers += more
        self._wake()

    async def _next_tick(self) -> None:
        if self._task is not None and self._task.done():
            self._task.result()  # raises what ended it
        await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _follow(self) -> None:
        """Look again and again while anybody watches."""
        try:
            while self.n_viewers:
                wait = TICK_S
                try:
                    seq = await asyncio.to_thread(self._reader.room_seq, self.room)
                    if seq is None:
                        raise UnknownRoom(self.room)
                    if seq != self._seq:
                        self._seq = seq
                        self._wake()
                except StoreError as error:
                    if self._seq is None:
                        raise
                    log.warning("A room cannot be read: %s Trying again.", error)
                    wait = RETRY_S
                await asyncio.sleep(wait)
        except UnknownRoom:
            self._seq = None
            raise
        finally:
            self._wake()


class RoomHub(Hub[RoomFollower]):
    """The followers of the rooms of one server."""

    def __init__(self, reader: SeqReader) -> None:
        super().__init__(lambda room: RoomFollower(room, reader))
