"""A visitor's own picture, or a digit drawn by hand, as one more example of a data set of images."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.data.dataset import DataProfile
from core.data.own.reading.pictures import Fit, as_channels, border_colour, decoded, fitted
from core.errors import NotApplicable, SpecError
from core.settings import Settings

Background = Literal["dark", "light", "any"]

INK = 10
"""Of 255; fainter is background."""
DIGIT_SHARE = 20 / 28
"""The longer side of an MNIST digit within its image."""
SMALL = 20
"""Images with a shorter side are filled by their digit, as scikit-learn's 8 × 8 digits are."""


@dataclass(frozen=True, slots=True)
class OwnInput:
    """`x` (1, C, H, W) uint8 in the data's own range, before any preparation; `pixels` (H, W) or (H, W, 3) uint8 as it is
    shown; and what was done to the picture, in sentences."""

    x: np.ndarray
    pixels: np.ndarray
    notes: tuple[str, ...] = ()


def own_input(
    data: bytes,
    profile: DataProfile,
    brightest: int = 255,
    *,
    background: Background = "any",
    centred: bool = False,
    fit: Fit = "crop",
) -> OwnInput:
    """The picture in a PNG, JPEG, WebP or BMP file as an example of a data set.

    Args:
        profile: of the data before any preparation (`original_profile`).
        brightest: the value that is shown as white (`Splits.brightest`).
        background: of the data (`background_of`); a picture on the other one is inverted.
        centred: it is one drawn sign, which is cut out, scaled and centred as the digits of MNIST were.
        fit: how a picture of another shape is made to fit; not for drawn signs.

    Raises:
        NotApplicable: the data are no images.
        SpecError: no picture that can be read, or nothing is drawn on it.
        TooExpensive: more pixels than the limit.
    """
    if profile.modality != "image":
        raise NotApplicable(
            "These data are no images.", hint="A picture can be predicted by a model that was trained on images."
        )
    image = decoded(data, Settings.from_environment())
    channels, height, width = profile.input_shape
    notes = []
    if centred:
        pixels = np.repeat(_centred(np.asarray(image.convert("L")), height, width)[None], channels, axis=0)
        notes.append(
            f"What is drawn was cut out, scaled and centred in {height} × {width} pixels, as the digits of MNIST were."
        )
        is_inverted = background == "light"
    else:
        if image.size != (width, height):
            how = {
                "crop": "its middle was cut out and scaled",
                "pad": "it was scaled, with a border",
                "stretch": "it was stretched",
            }
            notes.append(f"The picture has {image.height:,} × {image.width:,} pixels: {how[fit]} to {height} × {width}.")
        if channels == 1 and image.mode != "L":
            notes.append("Its colours became greys, since the data have none.")
        border = float(np.mean(border_colour(image)))
        is_inverted = (background == "dark" and border > 127) or (background == "light" and border < 128)
        pixels = as_channels(fitted(image, height, width, fit), channels)
    if is_inverted:
        pixels = 255 - pixels
        notes.append(f"Dark and light were exchanged, since the data have a {background} background.")
    x = np.rint(pixels[None].astype(np.float64) * (brightest / 255)).astype(np.uint8)
    return OwnInput(x, pixels[0] if channels == 1 else pixels.transpose(1, 2, 0), tuple(notes))


def background_of(images: np.ndarray, brightest: int = 255) -> Background:
    """Which background most images (N, C, H, W) have, by their border; "any" where they are not of one kind."""
    edges = np.concatenate([images[..., 0, :], images[..., -1, :], images[..., :, 0], images[..., :, -1]], axis=-1)
    borders = np.median(edges.reshape(len(images), -1), axis=1) / brightest
    if np.mean(borders < 0.2) > 0.8:
        return "dark"
    return "light" if np.mean(borders > 0.8) > 0.8 else "any"


def _centred(grey: np.ndarray, height: int, width: int) -> np.ndarray:
    """A sign (H, W) uint8 on an even background as MNIST has it: white on black, its longer side 20 of 28 pixels, its centre
    of mass in the middle.

    Source:
        LeCun, Bottou, Bengio and Haffner 1998, Gradient-Based Learning Applied to Document Recognition, section III.
    """
    from PIL import Image

    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = 255 - grey if np.median(edge) > 127 else grey
    rows, columns = np.flatnonzero(ink.max(axis=1) > INK), np.flatnonzero(ink.max(axis=0) > INK)
    if not len(rows):
        raise SpecError("Nothing is drawn.", hint="Draw one digit, large and with a thick pen.")
    sign = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    least = min(height, width)
    box = least if least < SMALL else round(least * DIGIT_SHARE)
    zoom = box / max(sign.shape)
    size = (max(1, round(sign.shape[1] * zoom)), max(1, round(sign.shape[0] * zoom)))
    how = Image.Resampling.BOX if zoom < 1 else Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(sign).resize(size, how))
    top, left = (_start(small.sum(axis=1 - axis), full) for axis, full in enumerate((height, width)))
    canvas = np.zeros((height, width), np.uint8)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def _start(mass: np.ndarray, full: int) -> int:
    """Where to begin, so that the centre of this mass comes to the middle of `full` pixels; all stays inside.

    The middle is that of pixel number 14 of 28: measured on MNIST's test images, 14.48 and 14.51 with a deviation of 0.29,
    which is that of rounding to whole pixels.
    """
    total = max(1, int(mass.sum()))
    centre = float((mass * (np.arange(len(mass)) + 0.5)).sum()) / total
    return int(np.clip(round(full // 2 + 0.5 - centre), 0, full - len(mass)))
