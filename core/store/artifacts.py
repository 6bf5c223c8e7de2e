"""Large things as files: `<home>/artifacts/<run>/<name>`. A file is whole or absent, and is read against its digest."""

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.errors import SpecError, StoreError

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*", re.ASCII)
MAX_NAME = 120


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What was written: size and SHA-256."""

    n_bytes: int
    sha256: str


class ArtifactFiles:
    """The artifacts under one data folder, private to its owner."""

    def __init__(self, home: Path) -> None:
        self._root = home / "artifacts"

    def path(self, run: str, name: str) -> Path:
        """Where the artifact lies. Users give names, never paths.

        Raises:
            SpecError: not the name of a run, or not a plain file name.
        """
        if not _RUN.fullmatch(run):
            raise SpecError(f"{run[:80]!r} is not the id of a run.", hint="Take the id from the list of runs.")
        if len(name) > MAX_NAME or not _NAME.fullmatch(name):
            raise SpecError(f"{name[:80]!r} is not the name of an artifact.", hint="Use letters, digits, '.', '_' and '-'.")
        return self._root / run / name

    def write(self, run: str, name: str, data: bytes) -> StoredFile:
        """Put `data` on the disk, durably, in place of an older file of this name.

        Raises:
            StoreError: the disk is full, or the file is larger than a worker may write.
        """
        path = self.path(run, name)
        self._folder(path.parent)
        part = path.with_name(f".{name}.{os.getpid()}.part")
        try:
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
            _sync_folder(path.parent)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StoreError(
                f"{name} ({len(data):,} bytes) could not be written: {error.strerror}.",
                hint="Free some disk space, choose a smaller model, or raise LAYERWISE_WORKER_FILE_MB.",
            ) from error
        return StoredFile(len(data), hashlib.sha256(data).hexdigest())

    def read(self, run: str, name: str, sha256: str) -> bytes:
        """The bytes of an artifact.

        Raises:
            StoreError: it is gone, or its digest is another one.
        """
        hint = "Choose a newer checkpoint, or start the run again."
        try:
            data = self.path(run, name).read_bytes()
        except OSError as error:
            raise StoreError(f"The file {name} of run {run} is gone.", hint=hint) from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise StoreError(f"The file {name} of run {run} is damaged: its digest is not the recorded one.", hint=hint)
        return data

    def is_whole(self, run: str, name: str, sha256: str) -> bool:
        """Whether `read` would succeed."""
        try:
            self.read(run, name, sha256)
        except StoreError:
            return False
        return True

    def forget(self, run: str, name: str) -> None:
        """Remove one file, if it is there."""
        self.path(run, name).unlink(missing_ok=True)

    def forget_run(self, run: str) -> None:
        """Remove all files of a run. What cannot be removed stays: no row names it any more."""
        shutil.rmtree(self.path(run, "any").parent, ignore_errors=True)

    def sweep(self, run: str) -> None:
        """Remove what a killed worker left half written."""
        for part in self.path(run, "any").parent.glob(".*.part"):
            part.unlink(missing_ok=True)

    def _folder(self, folder: Path) -> None:
        """Make the folder of a run; its own entry must survive a loss of power too."""
        if not folder.exists():
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(self._root)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
