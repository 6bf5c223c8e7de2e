"""Logs of server, supervisor and workers: one line per record, for people or as JSON, in files that stay small.

A line never breaks into two by what a user wrote, and never tells a secret. `about(run=..., owner=...)` adds fields to all that
is logged inside. Several processes write to one file: whoever finds it too large renames it, the others see that and follow.
"""

import fcntl
import json
import logging
import logging.handlers
import os
import sys
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Literal

Format = Literal["text", "json"]

MOST_BYTES = 5 * 2**20
KEPT = 3
"""Older files of one log: name.1 is the newest of them."""
SHORT = 8
"""Letters of an owner's id that are logged."""
MOST_RECENT, MOST_LETTERS = 50, 500
HIDDEN = "***"
SHORTEST_SECRET = 4
"""What is shorter is no secret, and stands in many words."""

FIELDS: ContextVar[dict[str, str] | None] = ContextVar("FIELDS", default=None)


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Add fields to every line that is logged inside: `run`, `owner` (shortened), `request`. Empty ones are left out."""
    given = {name: text[:SHORT] if name == "owner" else text for name, text in fields.items() if text}
    token = FIELDS.set((FIELDS.get() or {}) | given)
    try:
        yield
    finally:
        FIELDS.reset(token)


def on_one_line(text: str) -> str:
    """The text with everything escaped that would break a line, hide a part of it, or speak to a terminal."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


class LineFormatter(logging.Formatter):
    """A record as one line; a traceback follows as indented lines, or as a field.

    Args:
        process: what this process is: "server", "supervisor", "worker".
        hide: secrets that no line may tell.
    """

    def __init__(self, process: str, form: Format, hide: Collection[str] = ()) -> None:
        super().__init__()
        self._process = process
        self._form = form
        secrets = [secret for secret in hide if len(secret) >= SHORTEST_SECRET]
        self._hide = sorted({*secrets, *(json.dumps(secret)[1:-1] for secret in secrets)}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        fields = dict(FIELDS.get() or {})
        time = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        error = self.formatException(record.exc_info) if record.exc_info else ""
        line = self._json if self._form == "json" else self._text
        said = line(record, time, fields, error)
        for secret in self._hide:
            said = said.replace(secret, HIDDEN)
        return said

    def _json(self, record: logging.LogRecord, time: str, fields: dict[str, str], error: str) -> str:
        values: dict[str, Any] = {"time": time, "level": record.levelname, "logger": record.name}
        values |= {"process": self._process, "pid": record.process, "message": _message(record), **fields}
        return json.dumps(values | ({"error": error} if error else {}))

    def _text(self, record: logging.LogRecord, time: str, fields: dict[str, str], error: str) -> str:
        extra = "".join(f" {name}={on_one_line(text)}" for name, text in fields.items())
        head = f"{time} {record.levelname} {record.name} [{self._process} {record.process}]"
        below = "".join(f"\n    | {on_one_line(line)}" for line in error.splitlines())
        return f"{head} {on_one_line(_message(record))}{extra}{below}"


def _message(record: logging.LogRecord) -> str:
    """A line whose template and values do not fit is said as its template: a log must not fail."""
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)


class SharedFile(logging.handlers.WatchedFileHandler):
    """A private log file that several processes write, each line at once, and any of which may begin a new one.

    Args:
        takes_standard: standard output and error of this process go to the same file, and to the new one when it is begun.
    """

    def __init__(self, path: Path, *, takes_standard: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._takes_standard = takes_standard
        super().__init__(path, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError):  # no new file can be begun: then the present one grows
            self.reopenIfNeeded()
            if os.fstat(self._descriptor()).st_size >= MOST_BYTES:
                self._begin_anew()
        super().emit(record)

    def _descriptor(self) -> int:
        return self.stream.fileno() if self.stream else -1

    def _begin_anew(self) -> None:
        path = Path(self.baseFilename)
        with open(os.open(path.with_name(".rotate.lock"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.stat(path).st_ino == os.fstat(self._descriptor()).st_ino:  # nobody else was faster
                for n in range(KEPT, 0, -1):
                    older = path if n == 1 else path.with_name(f"{path.name}.{n - 1}")
                    if older.exists():
                        os.replace(older, path.with_name(f"{path.name}.{n}"))
        self.reopenIfNeeded()
        if self._takes_standard:
            for standard in (1, 2):
                os.dup2(self._descriptor(), standard)


@dataclass(frozen=True, slots=True)
class Said:
    """A warning or an error of late. Time in seconds since the epoch."""

    time: float
    level: str
    logger: str
    message: str


class Recent(logging.Handler):
    """Keeps the last warnings and errors of this process, for the page of the host."""

    def __init__(self, hide: Collection[str] = ()) -> None:
        super().__init__(logging.WARNING)
        self.said = deque[Said](maxlen=MOST_RECENT)
        self._hide = hide

    def emit(self, record: logging.LogRecord) -> None:
        message = on_one_line(_message(record))
        for secret in self._hide:
            message = message.replace(secret, HIDDEN) if len(secret) >= SHORTEST_SECRET else message
        self.said.append(Said(record.created, record.levelname, record.name, message[:MOST_LETTERS]))


def recent() -> tuple[Said, ...]:
    """The last warnings and errors of this process, the newest one last; empty where nothing was set up."""
    return tuple(one for handler in logging.getLogger().handlers if isinstance(handler, Recent) for one in handler.said)


def log_to(file: Path, process: str, form: Format, *, hide: Collection[str] = ()) -> None:
    """Log to this file from now on, and to standard error where that is another one. Ends all other logging."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in _handlers(file, process, form, hide):
        root.addHandler(handler)
    root.setLevel(logging.INFO)


@contextmanager
def logging_to(file: Path, process: str, form: Format, *, hide: Collection[str] = (), adopt: str = "") -> Iterator[None]:
    """The same beside what there is already, for as long as this lasts. Where the file cannot be had, without it.

    Args:
        adopt: loggers of this name and below that write by themselves (Streamlit's) leave that to ours.
    """
    root = logging.getLogger()
    before = root.level
    handlers = _handlers(file, process, form, hide)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    adopted = [
        one for name in logging.Logger.manager.loggerDict if name.split(".")[0] == adopt for one in [logging.getLogger(name)]
    ]
    kept = [(one, list(one.handlers), one.propagate) for one in adopted if adopt]
    for one, _, _ in kept:
        one.handlers, one.propagate = [], True
    try:
        yield
    finally:
        for one, theirs, propagates in kept:
            one.handlers, one.propagate = theirs, propagates
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before)


def _handlers(file: Path, process: str, form: Format, hide: Collection[str]) -> list[logging.Handler]:
    formatter = LineFormatter(process, form, hide)
    handlers: list[logging.Handler] = []
    is_standard = _is_standard_error(file)
    try:
        handlers.append(SharedFile(file, takes_standard=is_standard))
    except OSError as error:
        sys.stderr.write(f"{file} cannot be written: {error.strerror}. Logging goes on without it.\n")
    if not is_standard or not handlers:
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(formatter)
    return [*handlers, Recent(hide)]


def _is_standard_error(file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(2), os.stat(file))
    except OSError:
        return False
