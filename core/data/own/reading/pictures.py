"""Pictures of strangers, decoded by PIL within limits: upright, grey or RGB, eight bits."""

import io
import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.errors import SpecError, TooExpensive
from core.settings import Settings

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
MILLION = 1_000_000
BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, KeyError, TypeError, OverflowError)
"""What PIL raises on damaged or unknown files."""
Fit = Literal["crop", "pad", "stretch"]


def decoded(data: bytes, settings: Settings) -> "Image.Image":
    """The picture upright, in mode L where it is grey and RGB else; what is transparent becomes white.

    Raises:
        TooExpensive: more pixels than the limit, found before they are decoded.
        SpecError: no picture of a known format, or damaged.
    """
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unusual headers, which PIL reads all the same
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(image.size, settings)
                image.verify()
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:  # verify() leaves nothing to load from
                image.load()
                return _plain(ImageOps.exif_transpose(image))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise _too_large("far more pixels", settings) from None
        except BROKEN as error:
            raise SpecError(
                "This is no picture that can be read: it is damaged, or of another format than its name says.",
                hint="Open it in an image program and save it again as PNG or JPEG.",
                cause=str(error),
            ) from None


def _check_size(size: tuple[int, int], settings: Settings) -> None:
    if size[0] * size[1] > settings.image_megapixels * MILLION:
        raise _too_large(f"{size[0]:,} × {size[1]:,} pixels, more", settings)


def _too_large(told: str, settings: Settings) -> TooExpensive:
    return TooExpensive(
        f"This picture has {told} than the limit of {settings.image_megapixels} million pixels.",
        hint="Save it smaller: no network here looks at so many pixels.",
    )


def _plain(image: "Image.Image") -> "Image.Image":
    """Eight bits, grey or RGB."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":  # 16 or 32 bits of grey
        values = np.array(image, np.float32)
        top = float(values.max(initial=0))
        if top > 255:
            values *= 255 / max(65_535.0, top)
        return Image.fromarray(np.clip(np.rint(values, out=values), 0, 255, out=values).astype(np.uint8))
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        is_grey = image.mode in ("LA", "La") or (image.mode == "L")
        above = image.convert("RGBA")
        white = Image.new("RGBA", above.size, "white")
        return Image.alpha_composite(white, above).convert("L" if is_grey else "RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def has_colours(pixels: np.ndarray, tolerance: int = 12) -> bool:
    """Whether a picture (H, W, 3) uint8 shows more than greys; JPEG leaves a little colour in grey ones."""
    spread = pixels.max(axis=2).astype(np.int64) - pixels.min(axis=2)
    return bool(np.mean(spread > tolerance) > 0.001)


def fitted(image: "Image.Image", height: int, width: int, fit: Fit = "crop") -> "Image.Image":
    """The picture at this size: its middle (crop), all of it on a border of its own colour (pad), or distorted (stretch)."""
    from PIL import Image, ImageOps

    if image.size == (width, height):
        return image
    how = Image.Resampling.LANCZOS
    if fit == "crop":
        return ImageOps.fit(image, (width, height), how)
    if fit == "pad":
        return ImageOps.pad(image, (width, height), how, color=border_colour(image))
    return image.resize((width, height), how)


def border_colour(image: "Image.Image") -> tuple[int, ...]:
    """The median of the outermost pixels, for each channel."""
    pixels = np.atleast_3d(np.asarray(image))
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(value) for value in np.median(edge, axis=0))


def as_channels(image: "Image.Image", channels: int) -> np.ndarray:
    """The pixels (C, H, W) uint8 with one channel or three."""
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB"))
    return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)
