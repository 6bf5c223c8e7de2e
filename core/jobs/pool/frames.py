"""Whole messages from a worker's pipe, without ever waiting for the rest of one.

`Connection.recv_bytes` waits in mid-message, so a worker that froze there would stop the supervisor for everybody.
"""

import os
import socket
import struct
from multiprocessing.connection import Connection

PIECE = 65_536
MAX_PIECES = 32
"""Read from one worker before the others have their turn."""
LENGTH = struct.Struct("!i")  # multiprocessing.connection: four bytes, or -1 and then eight
LONG_LENGTH = struct.Struct("!Q")
_piece = memoryview(bytearray(PIECE))
"""Where all pipes are read into, one after another: only the supervisor's one thread does so."""


class FrameReader:
    """Reads our end of a duplex pipe; what was sent by `send_bytes` comes out whole and in order."""

    def __init__(self, connection: Connection) -> None:
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._buffer = bytearray()
        self.is_open = True

    def messages(self, *, is_last: bool) -> list[bytes]:
        """All messages that are complete by now; with `is_last`, however many they are."""
        n_pieces = 0
        while self.is_open and (is_last or n_pieces < MAX_PIECES):
            try:
                n_bytes = self._socket.recv_into(_piece, PIECE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError:
                n_bytes = 0
            self.is_open = n_bytes > 0
            self._buffer += _piece[:n_bytes]
            n_pieces += 1
        return self._complete()

    def close(self) -> None:
        """Let go of the pipe."""
        self.is_open = False
        self._socket.close()

    def _complete(self) -> list[bytes]:
        messages, at = list[bytes](), 0
        while (place := self._place(at)) is not None and place[1] <= len(self._buffer):
            start, at = place
            messages.append(bytes(self._buffer[start:at]))
        del self._buffer[:at]
        return messages

    def _place(self, at: int) -> tuple[int, int] | None:
        """Where the message that begins at `at` has its content; None while its length is not known."""
        start = at + LENGTH.size
        if len(self._buffer) < start:
            return None
        (length,) = LENGTH.unpack_from(self._buffer, at)
        if length >= 0:
            return start, start + length
        if len(self._buffer) < start + LONG_LENGTH.size:
            return None
        (length,) = LONG_LENGTH.unpack_from(self._buffer, start)
        return start + LONG_LENGTH.size, start + LONG_LENGTH.size + length
