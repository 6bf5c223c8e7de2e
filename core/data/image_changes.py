"""The random changes themselves, on whole batches: one torch call for all images, and random numbers of its own for each.

torchvision.transforms.v2 draws once per call, so that each image would need a call of its own (10 ms for 32 digits that are
turned and cropped, against 2 ms here). The mathematics is that of v2, to which the tests hold it pixel by pixel. Images are
(B, C, H, W) float32 from 0 to `brightest`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from core.data.augmentation import Affine, ColorJitter, Cutout, HorizontalFlip, RandomCrop, Rotation, VerticalFlip

if TYPE_CHECKING:
    from torch import Tensor

    Draw = Callable[[int], Tensor]
    """`draw(m)`: m uniform numbers in [0, 1) for each image, (m, B, 1, 1, 1), on the images' device."""

GREY = (0.2989, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a pixel, as torchvision has them."""


def _flipped(axis: int) -> "Callable[[HorizontalFlip | VerticalFlip, Tensor, Draw, float], Tensor]":
    """A flip along one axis."""

    def flipped(flip: HorizontalFlip | VerticalFlip, x: "Tensor", draw: "Draw", brightest: float) -> "Tensor":
        (chance,) = draw(1)
        return x.flip(axis).where(chance < flip.p, x)

    return flipped


def _cropped(crop: RandomCrop, x: "Tensor", draw: "Draw", brightest: float) -> "Tensor":
    import torch

    n, n_channels, height, width = x.shape
    top, left = (draw(2) * (2 * crop.padding + 1)).long()
    wide = torch.nn.functional.pad(x, [crop.padding] * 4)
    image = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(n_channels, device=x.device)[:, None, None]
    row = top + torch.arange(height, device=x.device)[:, None]  # (B, 1, H, 1)
    column = left + torch.arange(width, device=x.device)  # (B, 1, 1, W)
    return wide[image, channel, row, column]


def _rotated(rotation: Rotation, x: "Tensor", draw: "Draw", brightest: float) -> "Tensor":
    import torch

    (turn,) = _around(draw(1), 0.0, np.deg2rad(rotation.degrees))
    cos, sin = turn.cos(), turn.sin()
    return _warped(x, torch.cat([cos, -sin, sin, cos], dim=-1), torch.zeros_like(turn), torch.zeros_like(turn))


def _moved(affine: Affine, x: "Tensor", draw: "Draw", brightest: float) -> "Tensor":
    import torch

    drawn = draw(4)
    right, down = _around(drawn[:2], 0.0, affine.translate)
    (scale,) = _around(drawn[2:3], 1.0, affine.scale)
    (slant,) = _around(drawn[3:], 0.0, np.deg2rad(affine.shear)).tan()
    one, zero = torch.ones_like(scale), torch.zeros_like(scale)
    inverse = torch.cat([one, slant, zero, one], dim=-1) / scale
    return _warped(x, inverse, right * x.shape[3], down * x.shape[2])


def _warped(x: "Tensor", inverse: "Tensor", right: "Tensor", down: "Tensor") -> "Tensor":
    """Images whose point at p comes from `inverse @ (p - (right, down))`, about the middle, in pixels; 0 from outside.

    `inverse` (B, 1, 1, 4) row by row, `right` and `down` (B, 1, 1, 1).
    """
    import torch

    height, width = x.shape[2:]
    across = torch.arange(width, device=x.device) - (width - 1) / 2 - right[..., 0]  # (B, 1, W)
    along = (torch.arange(height, device=x.device) - (height - 1) / 2)[:, None] - down[..., 0]  # (B, H, 1)
    a, b, c, d = inverse.unbind(-1)  # (B, 1, 1) each
    # From -1 at the outer edge of the first pixel to 1 at that of the last.
    grid = torch.stack([(a * across + b * along) * (2 / width), (c * across + d * along) * (2 / height)], dim=-1)
    return torch.nn.functional.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _jittered(jitter: ColorJitter, x: "Tensor", draw: "Draw", brightest: float) -> "Tensor":
    drawn = draw(4)
    bright, contrast, saturation = (
        _around(number, 1.0, width)
        for number, width in zip(drawn[:3], (jitter.brightness, jitter.contrast, jitter.saturation), strict=True)
    )
    x = (x * bright).clamp_(0, brightest)
    x = _blended(x, _grey(x).mean(dim=(1, 2, 3), keepdim=True), contrast, brightest)
    if x.shape[1] != 3:
        return x
    x = _blended(x, _grey(x), saturation, brightest)
    return _with_hue(x, _around(drawn[3], 0.0, jitter.hue)) if jitter.hue else x


def _grey(x: "Tensor") -> "Tensor":
    """Brightness of each pixel, (B, 1, H, W)."""
    return x if x.shape[1] == 1 else (x * x.new_tensor(GREY)[:, None, None]).sum(dim=1, keepdim=True)


def _blended(x: "Tensor", other: "Tensor", factor: "Tensor", brightest: float) -> "Tensor":
    """`x` for factor 1, `other` for 0, and beyond `x` above 1."""
    return (x * factor + other * (1 - factor)).clamp_(0, brightest)


def _with_hue(x: "Tensor", turn: "Tensor") -> "Tensor":
    """Red-green-blue images (B, 3, H, W) with every hue moved along the colour circle, `turn` (B, 1, 1, 1) of its length."""
    import torch

    largest, spread = x.amax(dim=1, keepdim=True), x.amax(dim=1, keepdim=True) - x.amin(dim=1, keepdim=True)
    red, green, blue = ((largest - x) / spread.where(spread > 0, torch.ones_like(spread))).chunk(3, dim=1)
    is_red, is_green = x[:, :1] == largest, x[:, 1:2] == largest
    hue = (blue - green).where(is_red, (2 + red - blue).where(is_green, 4 + green - red))  # six parts of the circle
    place = (hue + 6 * turn + x.new_tensor([5.0, 3.0, 1.0])[:, None, None]) % 6
    return largest - spread * torch.minimum(place, 4 - place).clamp(0, 1)


def _with_square(cutout: Cutout, x: "Tensor", draw: "Draw", brightest: float) -> "Tensor":
    import torch

    height, width = x.shape[2:]
    side = max(1, round((cutout.share * height * width) ** 0.5))
    drawn = draw(3)
    top, left = (drawn[0] * height).floor() - side // 2, (drawn[1] * width).floor() - side // 2  # (B, 1, 1, 1)
    row, column = torch.arange(height, device=x.device)[:, None], torch.arange(width, device=x.device)
    is_inside = (row >= top) & (row < top + side) & (column >= left) & (column < left + side)
    return x.masked_fill(is_inside & (drawn[2] < cutout.p), 0)


def _around(uniform: "Tensor", middle: float, width: float) -> "Tensor":
    """Numbers in [0, 1) spread from `middle` - `width` to `middle` + `width`."""
    return middle + (2 * uniform - 1) * width


CHANGES: dict[type, Callable[[Any, "Tensor", "Draw", float], "Tensor"]] = {
    HorizontalFlip: _flipped(-1),
    VerticalFlip: _flipped(-2),
    RandomCrop: _cropped,
    Rotation: _rotated,
    Affine: _moved,
    ColorJitter: _jittered,
    Cutout: _with_square,
}
"""How each change is made; MixUp, which needs scaled images and their classes, has a step of its own."""
