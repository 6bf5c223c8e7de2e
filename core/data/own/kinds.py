"""Which kind of file something is, by its name and by its content; both must agree."""

from collections.abc import Callable, Mapping
from typing import Literal

from core.data.own.reading.archives import check_images, opened_archive
from core.data.own.reading.arrays import check_arrays
from core.data.own.reading.csv_text import check_table
from core.errors import SpecError, nearest
from core.settings import Settings

Kind = Literal["csv", "npz", "zip", "image"]

ENDINGS: Mapping[str, Kind] = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "npz": "npz",
    "zip": "zip",
    "png": "image",
    "jpg": "image",
    "jpeg": "image",
    "webp": "image",
    "bmp": "image",
}
"""By the ending of the name, in small letters."""
TABLE, PICTURE, PACK, ARRAYS = (
    "Save it as CSV (UTF-8) and upload that.",
    "Save it as PNG or JPEG.",
    "Pack the folder as a ZIP file, without a password.",
    "Save arrays by numpy.savez(file, x=..., y=...).",
)
ADVICE = {
    **dict.fromkeys(("xls", "xlsx", "ods", "numbers", "parquet", "json", "sav", "dta", "arff"), TABLE),
    **dict.fromkeys(("gif", "svg", "tif", "tiff", "heic", "avif", "eps", "pdf", "ico"), PICTURE),
    **dict.fromkeys(("rar", "7z", "tar", "gz", "tgz", "bz2", "xz"), PACK),
    **dict.fromkeys(("npy", "mat", "h5", "hdf5", "pkl", "pickle", "pt", "pth"), ARRAYS),
}
"""What to do with kinds that are not read here."""
SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip file"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x93NUMPY", "a single NumPy array (.npy)"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"\x80\x04\x95", "a Python pickle"),
)
"""First bytes of files that people send under a wrong name."""


def checked_kind(data: bytes, name: str, settings: Settings) -> Kind:
    """The kind of a file, after the checks that cost no memory.

    Raises:
        SpecError: unknown, or not what its name says, or not sound; the hint says what to do.
    """
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in ENDINGS:
        told = f'Files that end in ".{ending[:12]}" are' if ending else f'"{name}" has no ending and is'
        hint = ADVICE.get(ending) or nearest(ending, ENDINGS)
        raise SpecError(f"{told} not read here.", hint=hint)
    kind = ENDINGS[ending]
    CHECKS[kind](data, name, settings)
    return kind


def _check_table(data: bytes, name: str, settings: Settings) -> None:
    _refuse_disguise(data, name, ())
    check_table(data, name, settings)


def _check_arrays(data: bytes, name: str, settings: Settings) -> None:
    _refuse_disguise(data, name, (b"PK\x03\x04", b"PK\x05\x06"))
    check_arrays(data, name, settings)


def _check_images(data: bytes, name: str, settings: Settings) -> None:
    _refuse_disguise(data, name, (b"PK\x03\x04", b"PK\x05\x06"))
    with opened_archive(data, name, settings) as archive:
        check_images(archive, name)


def _check_picture(data: bytes, name: str, settings: Settings) -> None:
    _refuse_disguise(data, name, (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"))
    if not (data[:4] in (b"\x89PNG", b"RIFF") or data[:3] == b"\xff\xd8\xff" or data[:2] == b"BM"):
        raise SpecError(f'"{name}" holds no image.', hint="Open it in an image program and save it as PNG or JPEG.")


def _refuse_disguise(data: bytes, name: str, allowed: tuple[bytes, ...]) -> None:
    """Refuses a file whose first bytes are those of another kind than its name says."""
    for sign, what in SIGNS:
        if data.startswith(sign) and sign not in allowed:
            raise SpecError(
                f'"{name}" is not what its name says: it holds {what}.', hint="Give it its right ending, or save it again."
            )


CHECKS: Mapping[Kind, Callable[[bytes, str, Settings], None]] = {
    "csv": _check_table,
    "npz": _check_arrays,
    "zip": _check_images,
    "image": _check_picture,
}
