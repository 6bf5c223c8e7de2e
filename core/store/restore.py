"""A backup put back into an empty data folder: nothing of it is written before all of it was found to be sound."""

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.errors import LayerwiseError, SpecError, StoreError
from core.store.archive import ARTIFACTS, DATABASE, SENDERS, UPLOADS, Backup, FileEntry, opened_backup
from core.store.migrations import check_version
from core.store.schema import METADATA

FOLDERS = (ARTIFACTS, SENDERS, UPLOADS)  # senders before uploads: no upload is nobody's for a moment
FOREIGN = "This is no store of Layerwise: do not use it unless you know who wrote it."
UNFINISHED_RUNS = "SELECT count(*) FROM runs WHERE state IN ('queued', 'starting', 'running', 'paused', 'stopping')"
ELSEWHERE = "Restore into another folder with --home, or move that one away first."


@dataclass(frozen=True, slots=True)
class Restored:
    """What there is now."""

    n_runs: int
    n_unfinished: int
    """They go on with the next start of the server."""
    n_files: int
    n_bytes: int


def restore(file: Path, home: Path) -> Restored:
    """Put a backup into `home`, which must have no store and no supervisor.

    Raises:
        SpecError: the folder is in use, or the archive is not as a backup is; nothing was written then.
        StoreError: there is no room, or the folder cannot be written.
    """
    _check_is_free(home)
    backup = opened_backup(file)
    with closing(backup.archive):
        _check_room(backup.manifest.n_bytes, home)
        try:
            with _held(home):
                _check_is_free(home)
                return _put(backup, home)
        except OSError as error:
            raise StoreError(
                f"The backup could not be put into {home}: {error}.", hint="Look at its disk and rights."
            ) from error


def _put(backup: Backup, home: Path) -> Restored:
    """Write beside the place where things will lie, look at the database there, then move all of it at once."""
    staging = home / f".restoring-{os.getpid()}"
    try:
        for entry in backup.files.values():
            _write(staging, backup, entry)
        n_runs, n_unfinished = _checked_database(staging / DATABASE, backup.files)
        os.sync()
        for name in FOLDERS:
            if (staging / name).is_dir():
                os.replace(staging / name, home / name)
        os.replace(staging / DATABASE, home / DATABASE)  # last: from here on there is a store
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Restored(n_runs, n_unfinished, len(backup.files), backup.manifest.n_bytes)


def _write(staging: Path, backup: Backup, entry: FileEntry) -> None:
    path = staging / entry.path
    for folder in (staging, *(staging / above for above in reversed(Path(entry.path).parents))):
        folder.mkdir(exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
        for chunk in backup.chunks(entry):
            output.write(chunk)


def _check_is_free(home: Path) -> None:
    if (home / DATABASE).exists():
        raise SpecError(f"There is a store in {home.absolute()} already, and restore replaces nothing.", hint=ELSEWHERE)
    for name in FOLDERS:
        if (home / name).exists() and any((home / name).iterdir()):
            raise SpecError(f"There are files in {(home / name).absolute()} already.", hint=ELSEWHERE)


def _check_room(n_bytes: int, home: Path) -> None:
    place = next(parent for parent in (home.absolute(), *home.absolute().parents) if parent.exists())
    free = shutil.disk_usage(place).free
    if n_bytes > free:
        raise StoreError(f"The backup takes {n_bytes:,} bytes, and {free:,} are free at {place}.", hint="Free some space.")


@contextmanager
def _held(home: Path) -> Iterator[None]:
    """The folder, kept from any supervisor."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(home / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SpecError(f"A supervisor is at work in {home.absolute()}.", hint=ELSEWHERE) from None
        yield


def _checked_database(file: Path, files: Mapping[str, FileEntry]) -> tuple[int, int]:
    """Runs, and unfinished ones, of a database that was looked through.

    Raises:
        SpecError: it is damaged, has what our databases do not have, or names files that did not come along.
    """
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            _check_tables(connection)
            (version,) = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() or ("",)
            check_version(version, str(file.name), is_writer=True)
            wrong = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
            if wrong:
                raise SpecError(f"The database in the backup is damaged: {wrong[0][:200]}.", hint="Take another backup.")
            rows = connection.execute("SELECT run, name, n_bytes, sha256 FROM artifacts")
            for run, name, n_bytes, sha256 in rows:
                entry = files.get(f"{ARTIFACTS}{run}/{name}")
                if entry is None or (entry.n_bytes, entry.sha256) != (n_bytes, sha256):
                    raise SpecError(f"The backup lacks the file {name!r} of run {run!r}.", hint="Take another backup.")
            (n_runs,) = connection.execute("SELECT count(*) FROM runs").fetchone()
            (n_unfinished,) = connection.execute(UNFINISHED_RUNS).fetchone()
        except LayerwiseError:
            raise
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise SpecError(f"The database in the backup cannot be read: {error}.", hint=FOREIGN) from None
    return int(n_runs), int(n_unfinished)


def _check_tables(connection: sqlite3.Connection) -> None:
    """Plain tables of ours and their indexes: no trigger, view or computed column, which would act on what is written later."""
    for kind, name, table in connection.execute("SELECT type, name, tbl_name FROM sqlite_master"):
        if kind not in ("table", "index") or table not in METADATA.tables:
            raise SpecError(f"The database in the backup has a {kind} {name!r}.", hint=FOREIGN)
    for name, kind in connection.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main'").fetchall():
        columns = connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (name,)).fetchall()
        known = METADATA.tables.get(name)
        is_plain = kind == "table" and not any(hidden for _, hidden in columns)
        is_ours = known is None or {column for column, _ in columns} <= set(known.columns.keys())
        if not is_plain or not is_ours:
            raise SpecError(f"The table {name!r} in the backup is not as ours are.", hint=FOREIGN)
