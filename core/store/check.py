"""A look at a data folder: the pages of its database, and every artifact against its row. Changes nothing."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.errors import SpecError, StoreError
from core.store.artifacts import ArtifactFiles
from core.store.protocol import ArtifactRecord
from core.store.sql import SqlReader


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something that is not as it should be, and what to do."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at, and found."""

    n_runs: int
    n_artifacts: int
    n_uploads: int
    n_bytes: int
    wrong: tuple[Wrong, ...]


def check_store(home: Path) -> Looked:
    """Look at everything; takes as long as reading it. A supervisor may be at work.

    Raises:
        SpecError: there is no store.
        StoreError: the database cannot be opened, or is of another version.
    """
    place = home / "runs.db"
    if not place.is_file():
        raise SpecError(f"There is no store in {home.absolute()}.", hint="Give its folder with --home, or set LAYERWISE_HOME.")
    with closing(SqlReader(place)) as store:
        store.open()
        hint = f"Stop the server and its supervisor, and restore a backup; {place} itself may be read by `sqlite3 .recover`."
        uploads = sorted((home / "uploads").glob("[0-9a-f]" * 64))
        wrong = [one for path in uploads for one in _of_upload(path)]
        n_runs = n_artifacts = n_bytes = 0
        try:
            wrong += [Wrong(f"The database is damaged: {text[:300]}.", hint) for text in store.damage()]
            n_runs = store.n_runs()
            for row in store.every_artifact():
                n_artifacts, n_bytes = n_artifacts + 1, n_bytes + row.n_bytes
                wrong += _of_artifact(store, ArtifactFiles(home), row)
        except StoreError as error:  # so damaged that it cannot be read on
            wrong.append(Wrong(f"The database is damaged: {error.message}", hint))
        return Looked(n_runs, n_artifacts, len(uploads), n_bytes, tuple(wrong))


def _of_artifact(store: SqlReader, files: ArtifactFiles, row: ArtifactRecord) -> Iterator[Wrong]:
    if files.is_whole(row.run, row.name, row.sha256):
        return
    if row not in store.artifacts(row.run):  # let go of since it was read
        return
    is_there = files.path(row.run, row.name).exists()
    hint = "The run goes on from an older checkpoint; start it again, or restore a backup, to have this one."
    if row.kind != "checkpoint":
        hint = "Ask for it again: what is not whole is made anew. Or restore a backup."
    yield Wrong(f"Run {row.run}: {row.name} is {'damaged' if is_there else 'gone'}.", hint)


def _of_upload(path: Path) -> Iterator[Wrong]:
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:  # it made room for another one
        return
    if digest != path.name:
        yield Wrong(
            f"The uploaded file {path.name[:12]}… is damaged.", "Remove it, and upload it again: it is known by its content."
        )
