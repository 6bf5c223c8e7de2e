"""A backup as a file: what is in it, and a look at one that comes from anywhere, before anything of it is written.

One ZIP with stored members: `artifacts/<run>/<name>`, `uploads/<digest>`, empty `senders/<owner>/<digest>` (whose uploads are),
`runs.db`, `files.jsonl` (path, size and SHA-256 of each of them, one a line) and `manifest.json`, which has the SHA-256 of that
list. No member is ever unpickled or run. Backups from before have no senders.
"""

import hashlib
import json
import re
import stat
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from core import VERSION
from core.errors import SpecError
from core.spec import Spec, parse_json
from core.store.artifacts import ArtifactFiles

DATABASE, FILES, MANIFEST = "runs.db", "files.jsonl", "manifest.json"
ARTIFACTS, UPLOADS, SENDERS = "artifacts/", "uploads/", "senders/"
UPLOAD = re.compile(r"uploads/[0-9a-f]{64}")
SENDER = re.compile(r"senders/[0-9a-f]{32}/(?P<digest>[0-9a-f]{64})")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = (stat.S_IFREG | 0o600) << 16
CHUNK = 2**20
MOST_MANIFEST_BYTES = 64 * 1024
AGAIN = "Take another backup, or copy this one again: it may have been cut off on its way."

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FileEntry(Spec):
    """One file of the archive."""

    path: Annotated[str, Field(min_length=1, max_length=300)]
    n_bytes: Annotated[int, Field(ge=0)]
    sha256: Digest


class Manifest(Spec):
    """What the archive is."""

    format: Literal["layerwise-backup"] = "layerwise-backup"
    version: Literal[1] = 1
    made_by: Annotated[str, Field(max_length=40)] = VERSION
    created: float
    """Seconds since the epoch."""
    n_files: Annotated[int, Field(ge=1)]
    n_bytes: Annotated[int, Field(ge=0)]
    files_sha256: Digest
    """Of the list of files."""


@dataclass(frozen=True, slots=True)
class Backup:
    """An archive of which every byte was held against its digest."""

    archive: zipfile.ZipFile
    manifest: Manifest
    files: dict[str, FileEntry]

    def chunks(self, entry: FileEntry) -> Iterator[bytes]:
        """The bytes of one file, in parts; held against its digest again, as nothing is known of who can write the archive.

        Raises:
            SpecError: they are not as the list says.
        """
        yield from _checked(self.archive, entry)


def opened_backup(file: Path) -> Backup:
    """The archive at this path, looked through from its directory to its last byte. The caller closes `.archive`.

    Raises:
        SpecError: it is no backup, or anything in it is not as it should be.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        raise SpecError(f"{file} is no backup: {error}.", hint="Choose a file that `python -m core backup` wrote.") from None
    try:
        _check_directory(archive, file.stat().st_size)
        manifest = parse_json(Manifest, _small(archive, MANIFEST, MOST_MANIFEST_BYTES))
        backup = Backup(archive, manifest, _listed(archive, manifest))
        for entry in backup.files.values():
            for _ in backup.chunks(entry):
                pass
    except BaseException as error:
        archive.close()
        if isinstance(error, (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, RuntimeError, OSError)):
            raise SpecError(f"{file} is damaged: {error}.", hint=AGAIN) from None
        raise
    return backup


def _check_directory(archive: zipfile.ZipFile, n_bytes: int) -> None:
    """Refuse by the directory alone: names, links, packing, and members that claim each other's bytes."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise SpecError("The backup has two files of one name.", hint=AGAIN)
    for entry in entries:
        mode = entry.external_attr >> 16
        is_plain = stat.S_IFMT(mode) in (0, stat.S_IFREG) and not entry.is_dir()
        if not is_plain or entry.flag_bits & 1 or entry.compress_type != zipfile.ZIP_STORED:
            raise SpecError(f"{entry.filename[:120]!r} is no plain, unpacked file.", hint=AGAIN)
        if entry.file_size != entry.compress_size:
            raise SpecError(f"The size of {entry.filename[:120]!r} is said in two ways.", hint=AGAIN)
    if sum(entry.file_size for entry in entries) > n_bytes:  # stored members cannot be larger than the file around them
        raise SpecError("The files of the backup overlap.", hint=AGAIN)
    if missing := {DATABASE, FILES, MANIFEST} - set(names):
        raise SpecError(f"The backup has no {sorted(missing)[0]}.", hint="Choose a file that `python -m core backup` wrote.")


def _listed(archive: zipfile.ZipFile, manifest: Manifest) -> dict[str, FileEntry]:
    """The list of files, which must name all that is there and nothing else."""
    listed: dict[str, FileEntry] = {}
    digest = hashlib.sha256()
    with archive.open(FILES) as lines:
        for line in lines:
            digest.update(line)
            entry = parse_json(FileEntry, line)
            check_path(entry.path)
            if listed.setdefault(entry.path, entry) is not entry:
                raise SpecError(f"The backup lists {entry.path!r} twice.", hint=AGAIN)
    if digest.hexdigest() != manifest.files_sha256:
        raise SpecError("The backup's list of files is not the one that was written.", hint=AGAIN)
    found = {entry.filename: entry.file_size for entry in archive.infolist() if entry.filename not in (FILES, MANIFEST)}
    if found != {entry.path: entry.n_bytes for entry in listed.values()}:
        raise SpecError("The files of the backup are not those of its list.", hint=AGAIN)
    _check_senders(listed)
    return listed


def _check_senders(listed: Mapping[str, FileEntry]) -> None:
    """Refuse a sender's mark that has bytes, or is of an upload that did not come along."""
    for path, entry in listed.items():
        mark = SENDER.fullmatch(path)
        if mark and (entry.n_bytes or UPLOADS + mark["digest"] not in listed):
            raise SpecError(f"{path!r} is no mark of an upload of this backup.", hint=AGAIN)


def check_path(path: str) -> None:
    """Refuse a file of a backup that would lie anywhere but where such files lie.

    Raises:
        SpecError: it is neither the database, nor an artifact of a run, nor an upload or the mark of its sender.
    """
    if path == DATABASE:
        return
    folder, _, rest = path.partition("/")
    run, _, name = rest.partition("/")
    if folder == "artifacts":
        ArtifactFiles(Path()).path(run, name)
    elif not UPLOAD.fullmatch(path) and not SENDER.fullmatch(path):
        raise SpecError(f"{path[:120]!r} is no file of a backup.", hint=AGAIN)


def _checked(archive: zipfile.ZipFile, entry: FileEntry) -> Iterator[bytes]:
    digest, n_bytes = hashlib.sha256(), 0
    with archive.open(entry.path) as member:
        while chunk := member.read(CHUNK):
            digest.update(chunk)
            n_bytes += len(chunk)
            yield chunk
    if (digest.hexdigest(), n_bytes) != (entry.sha256, entry.n_bytes):
        raise SpecError(f"{entry.path} in the backup is damaged: its digest is not the recorded one.", hint=AGAIN)


def _small(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    if archive.getinfo(name).file_size > most:
        raise SpecError(f"{name} of the backup is too large.", hint=AGAIN)
    return archive.read(name)


class ArchiveWriter:
    """Writes an archive member by member; `finish` says what is in it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries: list[FileEntry] = []

    @property
    def n_bytes(self) -> int:
        """Of all members so far."""
        return sum(entry.n_bytes for entry in self._entries)

    def add(self, path: str, data: bytes) -> None:
        """One file that is in memory."""
        self._archive.writestr(_info(path, len(data)), data)
        self._entries.append(FileEntry(path=path, n_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))

    def add_file(self, path: str, file: Path) -> None:
        """One file from the disk, however large."""
        digest, n_bytes = hashlib.sha256(), 0
        with open(file, "rb") as source, self._archive.open(_info(path, file.stat().st_size), "w") as member:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                n_bytes += len(chunk)
                member.write(chunk)
        self._entries.append(FileEntry(path=path, n_bytes=n_bytes, sha256=digest.hexdigest()))

    def finish(self, created: float) -> Manifest:
        """Write the list of files and the manifest."""
        lines = "".join(json.dumps(entry.model_dump()) + "\n" for entry in self._entries).encode()
        manifest = Manifest(
            created=created,
            n_files=len(self._entries),
            n_bytes=self.n_bytes,
            files_sha256=hashlib.sha256(lines).hexdigest(),
        )
        for path, data in ((FILES, lines), (MANIFEST, (manifest.model_dump_json(indent=1) + "\n").encode())):
            self._archive.writestr(_info(path, len(data)), data)
        return manifest


def _info(path: str, n_bytes: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, FIXED_TIME)
    info.create_system, info.external_attr = 3, PLAIN_FILE
    info.compress_type, info.file_size = zipfile.ZIP_STORED, n_bytes
    return info
