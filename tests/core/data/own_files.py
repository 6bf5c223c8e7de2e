"""Files as visitors send them, made on the spot."""

import io
import struct
import zipfile
import zlib

import numpy as np
from PIL import Image

from core.data.own.keep import keep_upload
from core.data.own.preview import preview
from core.settings import Settings


def csv_bytes(rows, separator=",", encoding="utf-8"):
    return "".join(separator.join(map(str, row)) + "\n" for row in rows).encode(encoding)


def flowers(n=60):
    """A sound table: two columns of numbers, one of categories, a class."""
    rng = np.random.default_rng(0)
    rows = [("length", "width", "colour", "species")]
    for i in range(n):
        rows.append((f"{rng.normal() + i % 3:.2f}", f"{rng.normal():.2f}", ("red", "blue")[i % 2], f"kind{i % 3}"))
    return rows


def picture_bytes(array, kind="PNG", **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def noise(seed, height=20, width=20, colours=True):
    shape = (height, width, 3) if colours else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def zip_bytes(files, method=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def image_folder(n=8, classes=("cats", "dogs"), **shape):
    """`n` different images in each of the folders."""
    return {
        f"{folder}/{i}.png": picture_bytes(noise(100 * place + i, **shape))
        for place, folder in enumerate(classes)
        for i in range(n)
    }


def npz_bytes(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def tiny_png(width, height):
    """A sound PNG of black pixels, a thousandth of their size."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer, row = zlib.compressobj(9), bytes(width + 1)
    body = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def kept(data, name, **settings):
    """An upload and the settings it was kept under."""
    given = Settings.from_environment().model_copy(update=settings)
    return keep_upload(data, name, given), given


def previewed(data, name, **settings):
    upload, given = kept(data, name, **settings)
    return preview(upload.digest, upload.name, given)


def problem(found, word, severity=None):
    """The one finding whose message holds `word`: (severity, message, hint)."""
    all_found = list(zip(found.severities, found.messages, found.hints, strict=True))
    matching = [each for each in all_found if word in each[1]]
    assert len(matching) == 1, all_found
    assert severity in (None, matching[0][0])
    return matching[0]


def parts(splits):
    return (splits.train, splits.validation, splits.test)


def loaded(splits):
    """All examples as {bytes of the pixels: class}."""
    return {x.tobytes(): int(y) for part in parts(splits) for x, y in zip(part.x, part.y, strict=True)}
