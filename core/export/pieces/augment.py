"""Random changes of training images (B, C, H, W) float32, each image changed in its own way.

By uniform numbers `u` (n, B, 1, 1, 1), as in core/data/image_changes.py to the last bit.
"""

import math

import numpy as np
import torch
from torch.nn import functional

GREY = (0.2989, 0.587, 0.114)


def around(u: torch.Tensor, middle: float, width: float) -> torch.Tensor:
    """Uniform numbers in [0, 1) spread from `middle` - `width` to `middle` + `width`."""
    return middle + (2 * u - 1) * width


def flipped(x: torch.Tensor, u: torch.Tensor, axis: int, chance: float) -> torch.Tensor:
    """Some of the images mirrored along an axis."""
    return x.flip(axis).where(u[0] < chance, x)


def cropped(x: torch.Tensor, u: torch.Tensor, padding: int) -> torch.Tensor:
    """A window of the old size out of each image with a border of 0."""
    n, n_channels, height, width = x.shape
    top, left = (u * (2 * padding + 1)).long()
    wide = functional.pad(x, [padding] * 4)
    image = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(n_channels, device=x.device)[:, None, None]
    row = top + torch.arange(height, device=x.device)[:, None]  # (B, 1, H, 1)
    column = left + torch.arange(width, device=x.device)  # (B, 1, 1, W)
    return wide[image, channel, row, column]


def rotated(x: torch.Tensor, u: torch.Tensor, degrees: float) -> torch.Tensor:
    """Images turned about their middle, at most so far to either side."""
    (turn,) = around(u, 0.0, math.radians(degrees))
    cos, sin = turn.cos(), turn.sin()
    still = torch.zeros_like(turn)
    return warped(x, torch.cat([cos, -sin, sin, cos], dim=-1), still, still)


def moved(
    x: torch.Tensor, u: torch.Tensor, translate: float, scale: float, shear: float
) -> torch.Tensor:
    """Images shifted, zoomed and slanted."""
    right, down = around(u[:2], 0.0, translate)
    (zoom,) = around(u[2:3], 1.0, scale)
    (slant,) = around(u[3:], 0.0, math.radians(shear)).tan()
    one, zero = torch.ones_like(zoom), torch.zeros_like(zoom)
    inverse = torch.cat([one, slant, zero, one], dim=-1) / zoom
    return warped(x, inverse, right * x.shape[3], down * x.shape[2])


def warped(
    x: torch.Tensor, inverse: torch.Tensor, right: torch.Tensor, down: torch.Tensor
) -> torch.Tensor:
    """Images whose point at p comes from `inverse @ (p - (right, down))`, about the middle."""
    height, width = x.shape[2:]
    across = torch.arange(width, device=x.device) - (width - 1) / 2 - right[..., 0]  # (B, 1, W)
    along = (torch.arange(height, device=x.device) - (height - 1) / 2)[:, None] - down[..., 0]
    a, b, c, d = inverse.unbind(-1)  # (B, 1, 1) each
    places = [(a * across + b * along) * (2 / width), (c * across + d * along) * (2 / height)]
    grid = torch.stack(places, dim=-1)
    return functional.grid_sample(
        x, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )


def jittered(
    x: torch.Tensor,
    u: torch.Tensor,
    widths: tuple[float, float, float, float],
    brightest: float,
) -> torch.Tensor:
    """Images in another light; `widths` are of brightness, contrast, saturation and hue."""
    bright, contrast, saturation = (
        around(number, 1.0, width) for number, width in zip(u[:3], widths[:3], strict=True)
    )
    x = (x * bright).clamp_(0, brightest)
    x = blended(x, grey(x).mean(dim=(1, 2, 3), keepdim=True), contrast, brightest)
    if x.shape[1] != 3:
        return x
    x = blended(x, grey(x), saturation, brightest)
    return with_hue(x, around(u[3], 0.0, widths[3])) if widths[3] else x


def grey(x: torch.Tensor) -> torch.Tensor:
    """Brightness of each pixel, (B, 1, H, W)."""
    if x.shape[1] == 1:
        return x
    return (x * x.new_tensor(GREY)[:, None, None]).sum(dim=1, keepdim=True)


def blended(
    x: torch.Tensor, other: torch.Tensor, factor: torch.Tensor, brightest: float
) -> torch.Tensor:
    """`x` for factor 1, `other` for 0, and beyond `x` above 1."""
    return (x * factor + other * (1 - factor)).clamp_(0, brightest)


def with_hue(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    """Images (B, 3, H, W) with every hue moved along the colour circle by `turn` of its length."""
    largest = x.amax(dim=1, keepdim=True)
    spread = largest - x.amin(dim=1, keepdim=True)
    distance = (largest - x) / spread.where(spread > 0, torch.ones_like(spread))
    red, green, blue = distance.chunk(3, dim=1)
    is_red, is_green = x[:, :1] == largest, x[:, 1:2] == largest
    hue = (blue - green).where(is_red, (2 + red - blue).where(is_green, 4 + green - red))
    place = (hue + 6 * turn + x.new_tensor([5.0, 3.0, 1.0])[:, None, None]) % 6
    return largest - spread * torch.minimum(place, 4 - place).clamp(0, 1)


def without_square(x: torch.Tensor, u: torch.Tensor, share: float, chance: float) -> torch.Tensor:
    """Some of the images with a square of 0 at a random place."""
    height, width = x.shape[2:]
    side = max(1, round((share * height * width) ** 0.5))
    top, left = (u[0] * height).floor() - side // 2, (u[1] * width).floor() - side // 2
    row = torch.arange(height, device=x.device)[:, None]
    column = torch.arange(width, device=x.device)
    is_inside = (row >= top) & (row < top + side) & (column >= left) & (column < left + side)
    return x.masked_fill(is_inside & (u[2] < chance), 0)


def mixed(
    x: torch.Tensor, y: torch.Tensor, rng: np.random.Generator, alpha: float, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Each image blended with another one of its batch, and their classes as shares (B, K)."""
    share = torch.as_tensor(rng.beta(alpha, alpha, len(y)), dtype=x.dtype, device=x.device)[:, None]
    partner = torch.as_tensor(rng.permutation(len(y)), device=x.device)
    y = functional.one_hot(y, n_classes).to(x.dtype) if y.ndim == 1 else y
    return torch.lerp(x[partner], x, share[..., None, None]), torch.lerp(y[partner], y, share)
