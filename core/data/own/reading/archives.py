"""ZIP archives of strangers: judged by their directory alone, read in memory, never unpacked to a disk."""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.data.own.reading.names import MAX_CLASSES, clean_name, listed
from core.errors import SpecError, TooExpensive
from core.settings import Settings

MIB = 2**20
MAX_RATIO = 100
"""Photographs shrink by a tenth, tables tenfold; what inflates a hundredfold was made to fill a memory."""
END, END_64, ENTRY = b"PK\x05\x06", b"PK\x06\x07", b"PK\x01\x02"
END_BYTES, ENTRY_BYTES = 22, 46
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
MAX_PATH = 1024
"""Characters of a path in an archive; no system takes longer ones."""
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".rar", ".7z", ".bz2", ".xz")
SPLITS = {"train", "training", "test", "testing", "val", "valid", "validation"}
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError, OverflowError)
"""What `zipfile` raises on damaged archives."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A file in a folder of images: its class, as a clean name, and where it lies."""

    class_name: str
    entry: zipfile.ZipInfo


def opened_archive(data: bytes, name: str, settings: Settings) -> zipfile.ZipFile:
    """The archive, ready to be read entry by entry; its directory was checked before Python built anything from it.

    Raises:
        SpecError: damaged, encrypted, with paths out of its folder or with links.
        TooExpensive: too many entries, or too much when unpacked.
    """
    n_entries = _n_entries(data, name, settings.upload_entries)
    if n_entries > settings.upload_entries:
        raise TooExpensive(
            f'"{name}" has more than {settings.upload_entries:,} entries.',
            hint="Leave some files out, or raise LAYERWISE_UPLOAD_ENTRIES on the server.",
            limit=settings.upload_entries,
        )
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except BROKEN:
        raise _damaged(name) from None
    _check_size(archive, name, settings)
    _check_entries(archive, name)
    return archive


def inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """One file of the archive; never more bytes than its directory says.

    Raises:
        zipfile.BadZipFile: it is damaged, or its directory lies.
    """
    try:
        with archive.open(entry) as file:
            return file.read(entry.file_size + 1)
    except BROKEN as error:
        raise zipfile.BadZipFile(str(error)) from error


def _n_entries(data: bytes, name: str, most: int) -> int:
    """Entries that the directory really lists, counted without building any; counting stops above `most`."""
    place = len(data) - END_BYTES
    if place < 0 or data[place : place + 4] != END or data[-2:] != b"\0\0":
        place = data.rfind(END, max(0, len(data) - END_BYTES - 2**16))
    if place < 0:
        raise _damaged(name)
    if data[max(0, place - 20) : place].startswith(END_64):
        raise SpecError(
            f'"{name}" is a ZIP64 archive, which is for files far larger than those that can be sent here.',
            hint="Pack it again with the program of your system (Windows: Send to, macOS: Compress).",
        )
    at, n = place - int.from_bytes(data[place + 12 : place + 16], "little"), 0
    while 0 <= at < place and data[at : at + 4] == ENTRY and n <= most:
        lengths = (int.from_bytes(data[at + offset : at + offset + 2], "little") for offset in (28, 30, 32))
        at, n = at + ENTRY_BYTES + sum(lengths), n + 1
    return n


def _check_size(archive: zipfile.ZipFile, name: str, settings: Settings) -> None:
    """Refuses what would fill the memory."""
    packed = sum(entry.compress_size for entry in archive.infolist())
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > settings.upload_inflated_mb * MIB or (unpacked > MIB and unpacked > MAX_RATIO * max(1, packed)):
        raise TooExpensive(
            f'"{name}" would unpack to {unpacked / MIB:,.1f} MB from {packed / MIB:,.2f} MB: the limits are '
            f"{settings.upload_inflated_mb:,} MB and {MAX_RATIO} times its size.",
            hint="Send fewer or smaller files. Pictures as PNG or JPEG are packed already.",
            n_bytes=unpacked,
        )


def _check_entries(archive: zipfile.ZipFile, name: str) -> None:
    """Refuses passwords, rare packing methods, links, and paths that lead out of the archive or have no end."""
    for entry in archive.infolist():
        path = entry.orig_filename.replace("\\", "/")
        shown = clean_name(path)
        if len(path) > MAX_PATH:
            raise SpecError(
                f'"{name}" holds the path "{shown}" of {len(path):,} characters; the limit is {MAX_PATH:,}.',
                hint="Give its folders and files shorter names, and pack them again.",
            )
        if entry.flag_bits & 1:
            raise SpecError(f'"{name}" is protected by a password.', hint="Pack it again without a password.")
        if path.startswith("/") or ".." in path.split("/") or path[1:2] == ":":
            raise SpecError(
                f'"{name}" holds the path "{shown}", which leads out of the archive.',
                hint="Pack the folder of images again; nothing was unpacked.",
            )
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SpecError(
                f'"{name}" holds a link ("{shown}") in place of a file.', hint="Pack the files themselves, without links."
            )
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SpecError(
                f'"{name}" is packed by a method that is not read here.', hint="Pack it as an ordinary ZIP file (Deflate)."
            )


def check_images(archive: zipfile.ZipFile, name: str) -> None:
    """Looks at the names in the archive only.

    Raises:
        SpecError: there are no images in it, or not in folders of two classes or more.
    """
    pictures(archive, name)


def pictures(archive: zipfile.ZipFile, name: str) -> tuple[tuple[Picture, ...], tuple[str, ...]]:
    """The images of an archive by class, in the order of their paths, and the paths of all that is left out.

    The class is the name of the folder. A folder around all, and folders named train, validation and test, do not count.

    Raises:
        SpecError: as in `check_images`.
    """
    entries = {entry.filename.replace("\\", "/"): entry for entry in archive.infolist() if not entry.is_dir()}
    files = {path: entry for path, entry in entries.items() if not _is_hidden(path)}
    found = {path: path.split("/") for path in sorted(files) if path.lower().endswith(IMAGES)}
    others = [path for path in sorted(files) if path not in found]
    if not found:
        raise _no_images(name, others)
    inner = _without_wrapping(list(found.values()))
    in_class = [(parts[0], path) for parts, path in zip(inner, found, strict=True) if len(parts) > 1]
    classes = list(dict.fromkeys(clean_name(folder) for folder, _ in in_class))
    if len(classes) < 2:
        told = f'all images with a folder are in "{classes[0]}"' if classes else "its images are in no folder"
        raise SpecError(
            f'"{name}" shows no classes to tell apart: {told}.',
            hint="Make one folder for each class, with its name, put the images into them, and pack all folders together.",
        )
    if len(classes) > MAX_CLASSES:
        raise TooExpensive(
            f'"{name}" has {len(classes):,} folders with images, so as many classes; the limit is {MAX_CLASSES:,}.',
            hint="Put the images of one class into one folder.",
        )
    loose = [path for parts, path in zip(inner, found, strict=True) if len(parts) == 1]
    return tuple(Picture(clean_name(folder) or "?", files[path]) for folder, path in in_class), (*loose, *others)


def _without_wrapping(paths: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The paths from the class folder on."""
    while all(len(parts) > 2 for parts in paths) and (
        len({parts[0] for parts in paths}) == 1 or {parts[0].lower() for parts in paths} <= SPLITS
    ):
        paths = [parts[1:] for parts in paths]
    return list(paths)


def _is_hidden(path: str) -> bool:
    """What operating systems add: `__MACOSX`, `.DS_Store`, `Thumbs.db`."""
    parts = path.split("/")
    is_windows = parts[-1].lower() in ("thumbs.db", "desktop.ini")
    return is_windows or "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def _no_images(name: str, others: Sequence[str]) -> SpecError:
    shown = listed([clean_name(path) for path in others], 3)
    if any(path.lower().endswith(ARCHIVES) for path in others):
        hint = "Archives inside an archive are not opened: unpack it, and pack the folders of images themselves."
    elif any(path.lower().endswith((".csv", ".tsv", ".npz")) for path in others):
        hint = "Unpack it and upload the table or the NPZ file itself."
    else:
        hint = f"Pack one folder of images for each class; images end in {', '.join(IMAGES)}."
    return SpecError(f'"{name}" holds no images{f", but {shown}" if shown else ""}.', hint=hint)


def _damaged(name: str) -> SpecError:
    return SpecError(f'"{name}" is damaged: it is no complete ZIP archive.', hint="Pack it again, and wait until it is ready.")


def zipped_folder(parts: Iterable[tuple[str, bytes]], settings: Settings) -> bytes:
    """A folder that came file by file (path, content), as one stored archive. Equal folders give equal bytes.

    Raises:
        TooExpensive: too many files, or too large together.
    """
    files = sorted(dict(parts).items())
    total = sum(len(content) for _, content in files)
    if len(files) > settings.upload_entries or total > settings.upload_mb * MIB:
        raise TooExpensive(
            f"This folder has {len(files):,} files of {total / MIB:,.1f} MB together: the limits are "
            f"{settings.upload_entries:,} files and {settings.upload_mb:,} MB.",
            hint="Send a part of it, or smaller pictures.",
        )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files:
            archive.writestr(zipfile.ZipInfo(path), content)
    return buffer.getvalue()
