"""Fetches the files of a data set from where its maker publishes them. In a worker: it imports torchvision."""

import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from core.data.vision import VISION_SETS
from core.data.vision_files import VisionFiles
from core.errors import MissingData, SpecError, StoreError, nearest
from core.settings import Settings

CHUNK = 256 * 1024
TIMEOUT_S = 30.0
"""Of silence, not of the whole download."""
LONGER = 1.1
"""A file longer than this times the size of the whole data set is not the one that was asked for."""

Progress = Callable[[int, int], None]
"""Told bytes received and bytes in all. It may raise, to cancel."""


def download(choice_kind: str, progress: Progress) -> None:
    """Fetch all files of a data set into `<home>/datasets/downloads`, checked by their MD5 sums: whole, or not at all.

    Files that are whole there are not fetched again.

    Raises:
        SpecError: no data set of this kind has files to fetch.
        MissingData: no address gave the file; the hint names the folder and the files to put there.
        StoreError: no space, or no right to write.
    """
    if choice_kind not in VISION_SETS:
        raise SpecError(f"No data set {choice_kind[:40]!r} can be downloaded.", hint=nearest(choice_kind, VISION_SETS))
    files, settings = VISION_SETS[choice_kind].files, Settings.from_environment()
    folder = files.downloaded(settings)
    wanted = files.damaged_in(folder)
    if not wanted:
        progress(files.n_bytes, files.n_bytes)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_space(folder, files)
        with tempfile.TemporaryDirectory(dir=folder, prefix="fetching-") as fresh:
            received = sum((folder / file).stat().st_size for file in files.packed if file not in wanted)
            for file in wanted:
                received = _fetch(files, file, Path(fresh) / file, lambda n: progress(n, max(n, files.n_bytes)), received)
            for file in wanted:
                os.replace(Path(fresh) / file, folder / file)
    except OSError as error:
        raise StoreError(
            f"{files.name} could not be saved in {folder}: {error.strerror or error}.",
            hint="LAYERWISE_HOME names another folder.",
        ) from error
    progress(files.n_bytes, files.n_bytes)


def _check_space(folder: Path, files: VisionFiles) -> None:
    """Room for the packed files, and for the unpacked ones and the arrays, of twice their size or more each."""
    needed, free = 5 * files.n_bytes, shutil.disk_usage(folder).free
    if free < needed:
        raise StoreError(
            f"{files.name} needs {needed / 1e6:,.0f} MB to be fetched and unpacked, and {free / 1e6:,.0f} MB are free.",
            hint="Free some space, or name a folder on another disk by LAYERWISE_HOME.",
            needed=needed,
            free=free,
        )


def _fetch(files: VisionFiles, file: str, target: Path, report: Callable[[int], None], before: int) -> int:
    """One file from the first address that gives it whole; `before` bytes came earlier. How many there are now.

    Raises:
        MissingData: none does.
    """
    told = []
    for address in files.addresses(file):
        try:
            n = _save(address, target, int(LONGER * files.n_bytes), lambda n: report(before + n))
            if _md5(target) == files.checksums()[file]:
                return before + n
            told.append(f"{address}: its MD5 checksum is wrong")
        except _NotGiven as error:
            told.append(f"{address}: {error}")
    raise MissingData(
        f"{file} of {files.name} could not be downloaded ({'; '.join(told)}).",
        hint=f"Is there a network? Without one: {files.where(Settings.from_environment())}",
        folder=str(files.places(Settings.from_environment())[0]),
        files=files.packed,
    )


class _NotGiven(Exception):
    """An address does not give the file; try the next."""


def _save(address: str, target: Path, most: int, report: Callable[[int], None]) -> int:
    """What is at an address as a file, and its size."""
    n = 0
    with target.open("wb") as file:
        for chunk in _chunks(address):
            n += len(chunk)
            if n > most:
                raise _NotGiven(f"it is longer than {most:,} bytes")
            file.write(chunk)
            report(n)
    return n


def _chunks(address: str) -> Iterator[bytes]:
    """What is at an address, piece by piece.

    Raises:
        _NotGiven: the network or the server fails.
    """
    request = urllib.request.Request(address, headers={"User-Agent": "Layerwise"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:  # nosec B310 # only SOURCES, all https
            promised, n = int(reply.headers.get("Content-Length") or 0), 0
            while chunk := reply.read(CHUNK):
                n += len(chunk)
                yield chunk
            if n < promised:  # a connection that breaks off looks like the end
                raise _NotGiven(f"the connection ended after {n:,} of {promised:,} bytes")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NotGiven(str(getattr(error, "reason", None) or error or type(error).__name__)) from error


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
