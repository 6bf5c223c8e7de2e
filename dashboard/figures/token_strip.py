"""Colours of tokens by their values, with an ink that can be read on them."""

import re

import numpy as np

from dashboard.figures import theme

THICKEST = 0.85
"""Opacity of the veil where nothing is."""


def signed_colours(values: np.ndarray, limit: float, dark: bool) -> list[tuple[str, str]]:
    """Background and ink of each value, on the diverging scale symmetric about 0; `limit` has the strongest colour."""
    shares = 0.5 + np.clip(np.asarray(values, float) / (limit or 1.0), -1, 1) / 2
    return [_pair(theme.diverging(dark), float(share)) for share in shares]


def unsigned_colours(values: np.ndarray, limit: float) -> list[tuple[str, str]]:
    """Background and ink of each value from 0 to `limit`, on the sequential scale."""
    shares = np.clip(np.asarray(values, float) / (limit or 1.0), 0, 1)
    return [_pair(theme.sequential(), float(share)) for share in shares]


def veils(values: np.ndarray, limit: float) -> list[str]:
    """A dark veil over a picture for each value, as CSS colours: none at `limit`, thickest at 0, so that much stands out."""
    shares = np.clip(np.asarray(values, float) / (limit or 1.0), 0, 1)
    dark = _numbers(theme.sequential()[0][1])
    return [_css(np.array([*dark[:3], THICKEST * (1 - float(share))])) for share in shares]


def pale(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W[, 3]) uint8 in which black is mid grey, so that a veil is seen on it too."""
    lowest = _numbers(theme.pale_grey()[0][1])[0]
    found: np.ndarray = np.rint(lowest + picture * (1 - lowest / 255)).astype(np.uint8)
    return found


def contrast(one: str, other: str) -> float:
    """The ratio of brightness of two opaque CSS colours, from 1 to 21.

    Source:
        Web Content Accessibility Guidelines 2.2, "contrast ratio".
    """
    bright, dim = sorted((_luminance(_numbers(colour)) for colour in (one, other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def _pair(scale: theme.Scale, share: float) -> tuple[str, str]:
    background = _css(_mixed(scale, share))
    return background, max(theme.INKS, key=lambda ink: contrast(ink, background))


def _mixed(scale: theme.Scale, share: float) -> np.ndarray:
    """Red, green, blue in 0..255 and opacity in 0..1 at this share of the scale, (4,)."""
    places = [at for at, _ in scale]
    colours = np.array([_numbers(colour) for _, colour in scale])
    return np.array([np.interp(share, places, colours[:, i]) for i in range(4)])


def _numbers(colour: str) -> np.ndarray:
    """(4,) of `#rrggbb` or `rgb[a](...)`."""
    if colour.startswith("#"):
        return np.array([*bytes.fromhex(colour[1:]), 1.0])
    found = [float(number) for number in re.findall(r"[\d.]+", colour)]
    return np.array([*found, 1.0][:4])


def _css(colour: np.ndarray) -> str:
    red, green, blue = (round(float(part)) for part in colour[:3])
    return "rgba" + f"({red},{green},{blue},{float(colour[3]):.3g})"


def _luminance(colour: np.ndarray) -> float:
    """Relative luminance in [0, 1]."""
    share = colour[:3] / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))
