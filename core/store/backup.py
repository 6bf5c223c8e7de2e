"""A backup of a data folder in one file, made while the supervisor is at work.

The database comes first, as it was at one moment; then the files that its rows name. A file is written before its row and
removed after it, so all of them were there at that moment. One that is gone when its turn comes was let go of since then, as
its row was: the copy of the database lets go of it too. So every row of the backup has its file.
"""

import os
import sqlite3
import tempfile
import time
import zipfile
from collections.abc import Iterator, Set
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from core.errors import SpecError, StoreError
from core.store.archive import ARTIFACTS, DATABASE, SENDER, SENDERS, UPLOADS, ArchiveWriter
from core.store.artifacts import ArtifactFiles
from core.store.migrations import copy_database
from core.store.protocol import ArtifactRecord
from core.store.sql import SqlReader, SqlWriter


@dataclass(frozen=True, slots=True)
class Made:
    """What was written. `damaged` are artifacts ("run/name") that could not be read although their rows are there."""

    n_runs: int
    n_artifacts: int
    n_uploads: int
    n_bytes: int
    damaged: tuple[str, ...]


def back_up(home: Path, file: Path) -> Made:
    """Write a backup of the data folder `home` to `file`, whole or not at all.

    Raises:
        SpecError: there is something at `file` already, or no store in the folder.
        StoreError: it cannot be written, or the store cannot be read.
    """
    if os.path.lexists(file):
        raise SpecError(f"{file} is there already, and a backup replaces nothing.", hint="Choose another name.")
    if not (home / DATABASE).is_file():
        raise SpecError(f"There is no store in {home.absolute()}.", hint="Give its folder with --home, or set LAYERWISE_HOME.")
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with (
            tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".layerwise-backup-") as scratch,
            open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as output,
        ):
            with zipfile.ZipFile(output, "w") as archive:
                made = _written(home, Path(scratch), ArchiveWriter(archive))
            output.flush()
            os.fsync(output.fileno())
        os.link(part, file)  # unlike a rename it replaces nothing
    except FileExistsError:
        raise SpecError(f"{file} is there already, and a backup replaces nothing.", hint="Choose another name.") from None
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The backup could not be written: {error}.", hint=f"Is there room beside {file}?") from error
    finally:
        with suppress(OSError):  # where there is no such folder, there is no such file
            part.unlink(missing_ok=True)
    return made


def _written(home: Path, scratch: Path, archive: ArchiveWriter) -> Made:
    copy = scratch / DATABASE
    copy_database(home / DATABASE, copy)
    with closing(SqlReader(home / DATABASE)) as live, closing(SqlWriter(copy)) as kept:
        rows = list(kept.every_artifact())
        lost = [row for row in rows if not _taken(home, row, archive)]
        uploads = set(_uploads_taken(home, archive))
        _take_senders(home, uploads, archive)
        damaged = [row for row in lost if _named(live, row) == row]
        kept.begin()
        for row in lost:
            kept.forget_artifacts(row.run, [row.name])
        kept.forget_runs([run for run in {row.run for row in lost} if live.run(run) is None])
        kept.commit()
        n_runs = kept.n_runs()
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, without a WAL beside it
    archive.add_file(DATABASE, copy)
    archive.finish(time.time())
    return Made(n_runs, len(rows) - len(lost), len(uploads), archive.n_bytes, tuple(f"{row.run}/{row.name}" for row in damaged))


def _taken(home: Path, row: ArtifactRecord, archive: ArchiveWriter) -> bool:
    """Whether the file of this row was there and went into the archive."""
    try:
        data = ArtifactFiles(home).read(row.run, row.name, row.sha256)
    except StoreError:
        return False
    archive.add(f"{ARTIFACTS}{row.run}/{row.name}", data)
    return True


def _uploads_taken(home: Path, archive: ArchiveWriter) -> Iterator[str]:
    """The digests of the files of visitors that went into the archive: they lie under them, and no row names them."""
    for path in sorted((home / "uploads").glob("[0-9a-f]" * 64)):
        try:
            data = path.read_bytes()
        except OSError:  # it made room for another one
            continue
        archive.add(UPLOADS + path.name, data)
        yield path.name


def _take_senders(home: Path, uploads: Set[str], archive: ArchiveWriter) -> None:
    """Whose these uploads are. After the uploads, as a file is there before the mark of its sender."""
    for path in sorted((home / SENDERS).glob("*/*")):
        mark = SENDER.fullmatch(f"{SENDERS}{path.parent.name}/{path.name}")
        if mark and mark["digest"] in uploads:
            archive.add(mark[0], b"")


def _named(store: SqlReader, row: ArtifactRecord) -> ArtifactRecord | None:
    """The row of this name as it is now."""
    return next((one for one in store.artifacts(row.run) if one.name == row.name), None)
