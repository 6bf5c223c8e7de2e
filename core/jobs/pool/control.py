"""The supervisor's ear: a local socket that only its owner may use, one line of JSON per request and per answer."""

import hashlib
import json
import os
import socket
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import LayerwiseError, PoolError, SpecError

MAX_PATH_BYTES = 100  # the system's limit is 104 or 108
MAX_LINE_BYTES = 256 * 1024
MAX_SKIPPED_BYTES = 16 * MAX_LINE_BYTES
"""Of a line that is too long the rest is read, and not kept, so that whoever sends it hears why; no further than this."""
MAX_CONNECTIONS = 64
PATIENCE_S = 5.0
"""A client that has not sent its whole request by then is hung up on, or silent ones would keep everybody out."""
AGAIN_S = 0.02
"""Between two tries to reach a supervisor at whose door all places are taken."""

Answer = dict[str, Any]


def socket_path(home: Path) -> Path:
    """Where the supervisor of this data folder listens: in the folder, or in a private one where that path is too long.

    Raises:
        PoolError: the private folder belongs to somebody else.
    """
    home = home.absolute()
    path = home / "control.sock"
    if len(os.fsencode(path)) <= MAX_PATH_BYTES:
        return path
    folder = Path(tempfile.gettempdir()) / f"layerwise-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PoolError(f"{folder} is not a private folder of yours.", hint="Remove it, or choose a shorter LAYERWISE_HOME.")
    return folder / f"{hashlib.sha256(os.fsencode(home)).hexdigest()[:20]}.sock"


def ask(home: Path, request: Answer, *, timeout_s: float) -> Answer:
    """The supervisor's answer to one request.

    Raises:
        SpecError: the request is too large; nothing was sent.
        OSError: nobody listens, or the answer did not come in time.
    """
    said = json.dumps(request).encode() + b"\n"
    if len(said) > MAX_LINE_BYTES:
        raise too_large()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        _connect(connection, str(socket_path(home)), time.monotonic() + timeout_s)
        connection.sendall(said)
        with connection.makefile("rb") as lines:
            line = lines.readline(MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise ConnectionError("the supervisor closed the connection")
    answer: Answer = json.loads(line)
    return answer


def _connect(connection: socket.socket, path: str, deadline: float) -> None:
    """A local socket does not wait for its turn by itself where many come at once: Linux says EAGAIN."""
    while True:
        try:
            connection.connect(path)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_S)


def too_large() -> SpecError:
    """What is said of a request that is longer than a line may be."""
    return SpecError(
        f"This request is too large: at most {MAX_LINE_BYTES // 1024} KB can be asked for at once.",
        hint="Ask for less at once, or shorten the long lists and texts in it.",
    )


def refusal(error: LayerwiseError) -> Answer:
    """An error as an answer."""
    return {"error": {"kind": type(error).__name__, "message": error.message, "hint": error.hint}}


@dataclass(slots=True)
class Request:
    """What one client asks."""

    fields: Answer
    connection: socket.socket


@dataclass(slots=True)
class _Arriving:
    """What has come of a request since its client connected."""

    since: float
    buffer: bytearray = field(default_factory=bytearray)
    n_bytes: int = 0
    """With what was skipped of a line that is too long."""


class Control:
    """Listens for requests, never waits for a client."""

    def __init__(self, home: Path) -> None:
        self._path = socket_path(home)
        self._path.unlink(missing_ok=True)  # ours: the lock on the folder is held
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._path.chmod(0o600)
        self._listener.listen(MAX_CONNECTIONS)
        self._listener.setblocking(False)
        self._pending: dict[socket.socket, _Arriving] = {}

    def waitables(self) -> tuple[int, ...]:
        """What to wait on for requests."""
        pending = [connection.fileno() for connection in self._pending]
        # with no room for another connection, a listener that is always ready would make the loop spin
        return (self._listener.fileno(), *pending) if len(pending) < MAX_CONNECTIONS else tuple(pending)

    def requests(self) -> list[Request]:
        """All requests that have arrived in full. Answer each of them."""
        self._accept()
        arrived = []
        for connection, arriving in list(self._pending.items()):
            request = self._read(connection, arriving)
            if request is not None:
                arrived.append(request)
            elif connection in self._pending and time.monotonic() - arriving.since > PATIENCE_S:
                self._drop(connection)
        return arrived

    def answer(self, request: Request, answer: Answer) -> None:
        """Send the answer and hang up. A client that left is no error."""
        with request.connection, suppress(OSError):
            request.connection.settimeout(1.0)
            request.connection.sendall(json.dumps(answer).encode() + b"\n")

    def close(self) -> None:
        """Stop listening."""
        for connection in [self._listener, *self._pending]:
            connection.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while len(self._pending) < MAX_CONNECTIONS:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._pending[connection] = _Arriving(time.monotonic())

    def _read(self, connection: socket.socket, arriving: _Arriving) -> Request | None:
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return None
        arriving.n_bytes += len(data)
        if arriving.n_bytes > MAX_LINE_BYTES:
            self._skip(connection, arriving, data)
            return None
        arriving.buffer += data
        if not data.endswith(b"\n"):
            return None
        try:
            fields = json.loads(arriving.buffer)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            self._drop(connection)
            return None
        del self._pending[connection]
        return Request(fields, connection)

    def _skip(self, connection: socket.socket, arriving: _Arriving, data: bytes) -> None:
        """Keep nothing of a line that is too long, and refuse it at its end: hung up on earlier, its sender may not hear it."""
        arriving.buffer.clear()
        if data.endswith(b"\n") or arriving.n_bytes > MAX_SKIPPED_BYTES:
            with suppress(OSError):  # the connection does not block
                connection.send(json.dumps(refusal(too_large())).encode() + b"\n")
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        del self._pending[connection]
        connection.close()
