"""Whose uploads are: empty files `<home>/senders/<owner>/<digest>`, and the room that they make for each other.

A file that several visitors sent is kept once and counts for each. Nobody's file goes because of another visitor's: who sends
more than there is room for loses own files, those that were not used for longest first, or is refused.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import TooExpensive
from core.settings import Settings

MIB = 2**20
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
SPACE = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends a file: the `owner` of a space, or nobody in particular, who may send as much as the server keeps.

    `run_bytes` are those of the owner's kept runs. `needed` tells the jobs of all unfinished runs as one text: files whose
    digest is in it stay.
    """

    owner: str = ""
    run_bytes: int = 0
    needed: Callable[[], str] = str


NOBODY = Sender()


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is there; `used` rises with its last use."""

    digest: str
    n_bytes: int
    used: int


def files_of(owner: str, settings: Settings) -> tuple[Kept, ...]:
    """What this visitor has sent and is still there, what was not used for longest first; of nobody, what nobody sent."""
    found = _all_files(settings)
    if owner:
        own = {path.name for path in _folder(owner, settings).glob("*")}
    else:
        own = found.keys() - {path.name for path in (settings.home / "senders").glob("*/*")}
    return tuple(sorted((found[digest] for digest in own & found.keys()), key=lambda kept: kept.used))


def note_sender(digest: str, owner: str, settings: Settings) -> None:
    """This visitor has sent the file too."""
    if owner:
        folder = _folder(owner, settings)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / digest).touch(mode=0o600)


def senders_of(digest: str, settings: Settings) -> tuple[str, ...]:
    """The folders' names of all who sent a file."""
    return tuple(sorted(path.parent.name for path in (settings.home / "senders").glob(f"*/{digest}")))


def make_room(digest: str, n_bytes: int, settings: Settings, sender: Sender) -> None:
    """Remove files of this sender until one more of so many bytes fits. Nothing is removed where it would not fit all the same.

    Raises:
        TooExpensive: there is no room; the message has the numbers and the hint what to do.
    """
    own, total = _others(files_of(sender.owner, settings), digest), _bytes(_others(_all_files(settings).values(), digest))
    over, needed = (_over(own, n_bytes, settings, sender) if sender.owner else 0), ""
    if over > 0 or total + n_bytes > settings.uploads_mb * MIB:
        needed = sender.needed()
    going = _first_of(own, over, needed)
    free = _others(files_of("", settings), digest) if sender.owner else []
    rest = sorted((kept for kept in own + free if kept not in going), key=lambda kept: kept.used)
    total_over = total + n_bytes - settings.uploads_mb * MIB - _bytes(going)
    also = _first_of(rest, total_over, needed)
    if _bytes(going) < over or _bytes(also) < total_over:
        raise _no_room(n_bytes, total, own, settings, sender)
    for kept in going + also:
        _let_go(kept.digest, settings, sender.owner)


def forget_unused(settings: Settings, before: float, needed: str) -> int:
    """Remove files that nobody has used since a time (seconds since the epoch); how many. Those that `needed` names stay."""
    old = [kept for kept in _all_files(settings).values() if kept.used < before * 1e9 and kept.digest not in needed]
    for kept in old:
        for name in senders_of(kept.digest, settings):
            (settings.home / "senders" / name / kept.digest).unlink(missing_ok=True)
        _let_go(kept.digest, settings, "")
    return len(old)


def _others(files: Iterable[Kept], digest: str) -> list[Kept]:
    """All but the one that arrives, which may be there already."""
    return [kept for kept in files if kept.digest != digest]


def _bytes(files: Iterable[Kept]) -> int:
    return sum(kept.n_bytes for kept in files)


def _over(own: list[Kept], n_bytes: int, settings: Settings, sender: Sender) -> int:
    """How many bytes this visitor would have too many."""
    sent = _bytes(own) + n_bytes
    return max(sent - settings.visitor_uploads_mb * MIB, sender.run_bytes + sent - settings.visitor_stored_mb * MIB)


def _first_of(files: Iterable[Kept], n_bytes: int, needed: str) -> list[Kept]:
    """As many files, of those that are not needed, as come to so many bytes."""
    found: list[Kept] = []
    for kept in files:
        if _bytes(found) >= n_bytes:
            break
        if kept.digest not in needed:
            found.append(kept)
    return found


def _no_room(n_bytes: int, total: int, own: list[Kept], settings: Settings, sender: Sender) -> TooExpensive:
    stored = sender.run_bytes + _bytes(own)
    if sender.owner and stored + n_bytes > settings.visitor_stored_mb * MIB:
        return TooExpensive(
            f"This file has {_mb(n_bytes)} and your runs and files hold {_mb(stored)}: the limit for one visitor is "
            f"{settings.visitor_stored_mb:,} MB.",
            hint="Delete runs that you no longer need on the Runs screen, and empty the bin there.",
        )
    if total + n_bytes > settings.uploads_mb * MIB:
        return TooExpensive(
            f"This file has {_mb(n_bytes)} and the files of all visitors hold {_mb(total)}: the server keeps "
            f"{settings.uploads_mb:,} MB.",
            hint="Send a smaller file, or ask the host for more room (LAYERWISE_UPLOADS_MB).",
        )
    return TooExpensive(
        f"This file has {_mb(n_bytes)}, and your unfinished runs need files of yours: the server keeps "
        f"{settings.visitor_uploads_mb:,} MB of files for one visitor.",
        hint="Wait until a run has ended, or send a smaller file.",
    )


def _mb(n_bytes: int) -> str:
    return f"{n_bytes / MIB:,.1f} MB"


def _let_go(digest: str, settings: Settings, owner: str) -> None:
    """Take a file from its sender; where nobody else sent it, it goes, with what was read out of it."""
    if owner:
        (_folder(owner, settings) / digest).unlink(missing_ok=True)
    if not senders_of(digest, settings):
        (settings.home / "uploads" / digest).unlink(missing_ok=True)
        shutil.rmtree(settings.home / "datasets" / "own" / digest, ignore_errors=True)


def _all_files(settings: Settings) -> dict[str, Kept]:
    found = {}
    for path in (settings.home / "uploads").glob("*"):
        with suppress(FileNotFoundError):  # somebody else has just removed it
            status = path.stat()
            if DIGEST.fullmatch(path.name):
                found[path.name] = Kept(path.name, status.st_size, status.st_mtime_ns)
    return found


def _folder(owner: str, settings: Settings) -> Path:
    """A visitor's markers. What is no id of a space is no name of a folder either."""
    name = owner if SPACE.fullmatch(owner) else hashlib.sha256(owner.encode()).hexdigest()[:32]
    return settings.home / "senders" / name
