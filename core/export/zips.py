"""ZIP files that are the same bytes for the same content, whenever they are made."""

import io
import zipfile
from collections.abc import Mapping

PACKED = (".safetensors", ".onnx", ".pt", ".pt2", ".npz", ".zip", ".png")
"""Endings of what does not get smaller by packing it again."""
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
PLAIN_FILE = 0o644 << 16


def zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of these files, by their paths, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, FIXED_TIME)
            entry.create_system, entry.external_attr = 3, PLAIN_FILE
            entry.compress_type = zipfile.ZIP_STORED if path.endswith(PACKED) else zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
