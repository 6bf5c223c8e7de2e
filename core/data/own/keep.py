"""Uploaded bytes, kept under their digest: `<home>/uploads/<sha256>`. Cheap enough for the process that serves the pages."""

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass

from core.data.own.kinds import Kind, checked_kind
from core.data.own.reading.names import clean_name, file_name
from core.data.own.senders import DIGEST, NOBODY, Sender, make_room, note_sender
from core.errors import MissingData, SpecError, StoreError, TooExpensive
from core.settings import Settings

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Upload:
    """A kept file. `digest` is its SHA-256, `name` what the visitor calls it, safe to show."""

    digest: str
    name: str
    n_bytes: int
    kind: Kind


def keep_upload(data: bytes, name: str, settings: Settings, sender: Sender = NOBODY) -> Upload:
    """A visitor's file, looked at and kept. Nothing is unpacked or decoded: what is left to find is found by the preview.

    Raises:
        SpecError: it is empty, too large, of an unknown kind, no sound file of its kind, or has no room.
        StoreError: the disk is full.
    """
    shown = file_name(name) or "file"
    if not data:
        raise SpecError(f'"{shown}" is empty.', hint="Choose another file, or save it again: 0 bytes arrived.")
    kind = checked_kind(data, shown, settings)
    return Upload(store_upload(data, shown, settings, sender), shown, len(data), kind)


def store_upload(data: bytes, name: str, settings: Settings, sender: Sender = NOBODY) -> str:
    """The digest under which these bytes lie now, whatever they are. The sender's own files make room, oldest first.

    Raises:
        TooExpensive: larger than a visitor may send, or than there is room for; nothing was written.
        StoreError: the disk is full.
    """
    if len(data) > settings.upload_mb * MIB:
        raise TooExpensive(
            f'"{name}" has {len(data) / MIB:,.1f} MB, the limit is {settings.upload_mb:,} MB.',
            hint="Send a part of it, or raise LAYERWISE_UPLOAD_MB on the server.",
            n_bytes=len(data),
        )
    digest = hashlib.sha256(data).hexdigest()
    make_room(digest, len(data), settings, sender)
    folder = settings.home / "uploads"
    part = folder / f".{digest}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (folder / digest).is_file():
            with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, folder / digest)
        os.utime(folder / digest)
        note_sender(digest, sender.owner, settings)
    except OSError as error:
        with suppress(OSError):  # it may never have been made
            part.unlink()
        raise StoreError(
            f'"{name}" could not be kept: {error.strerror or error}.',
            hint=f"Free some disk space, or make {folder} writable for the server.",
        ) from error
    return digest


def kept_upload(digest: str, settings: Settings, name: str = "") -> bytes:
    """The bytes of a kept file.

    Raises:
        MissingData: it is not (any more) on this server, or is damaged.
    """
    called = f'The file "{name}"' if name else "The file"
    hint = f"Upload {name or 'it'} again on the Data screen: it is recognised by its content, and everything fits again."
    if not DIGEST.fullmatch(digest):
        raise SpecError(f"{clean_name(digest)!r} is not the digest of a file.", hint="Choose the file on the Data screen.")
    path = settings.home / "uploads" / digest
    try:
        data = path.read_bytes()
    except OSError:
        raise MissingData(f"{called} is not on this server.", hint=hint, file=digest) from None
    if hashlib.sha256(data).hexdigest() != digest:
        path.unlink(missing_ok=True)
        raise MissingData(f"{called} is damaged on this server.", hint=hint, file=digest)
    with suppress(OSError):  # a read-only disk: then the age of files is that of their upload
        os.utime(path)
    return data
