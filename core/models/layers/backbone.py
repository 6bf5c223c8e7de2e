"""A ready-made network of torchvision as one layer: all but its classifier."""

from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import as_map, refusal
from core.models.layers.window import window_positions
from core.types import Shape


@dataclass(frozen=True, slots=True)
class Net:
    """What is known of a network without its classifier. Counts by hand from the papers' tables, equal to torchvision's."""

    features: int
    n_parameters: int


NETS = {
    "resnet18": Net(512, 11_176_512),
    "mobilenet_v3_small": Net(576, 927_008),
    "vit_b_16": Net(768, 85_798_656),
}

VIT_SIDE, VIT_PATCH, VIT_WIDTH, VIT_BLOCKS = 224, 16, 768, 12

MOBILE_BLOCKS = (  # channels in, kernel, inner channels, channels out, squeeze-and-excitation, stride
    (16, 3, 16, 16, True, 2),
    (16, 3, 72, 24, False, 2),
    (24, 3, 88, 24, False, 1),
    (24, 5, 96, 40, True, 2),
    (40, 5, 240, 40, True, 1),
    (40, 5, 240, 40, True, 1),
    (40, 5, 120, 48, True, 1),
    (48, 5, 144, 48, True, 1),
    (48, 5, 288, 96, True, 2),
    (96, 5, 576, 96, True, 1),
    (96, 5, 576, 96, True, 1),
)
"""Howard et al. 2019, table 2."""

RESNET_STAGES = ((64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2))
"""Channels in, channels out, stride of the first of two blocks: He et al. 2016, table 1, 18 layers."""


class Backbone(LayerChoice):
    """A well-known image network without its classifier, which turns an image into a vector of features.

    Its weights are those of a file of yours, or random: nothing is downloaded. Grey images are shown to all three colours.
    Weights of torchvision expect colours standardised with the mean and deviation of ImageNet.
    """

    kind: Literal["Backbone"] = "Backbone"
    label: ClassVar[str] = "Backbone (pretrained)"
    source: ClassVar[str] = "He et al. 2016 (ResNet), Howard et al. 2019 (MobileNetV3), Dosovitskiy et al. 2021 (ViT)"

    name: Literal["resnet18", "mobilenet_v3_small", "vit_b_16"] = "resnet18"
    """The network: resnet18 gives 512 features, mobilenet_v3_small 576, vit_b_16 768 (for images of 224 × 224 alone)."""
    frozen: bool = True
    """Keep its weights as they are and train only what follows: fast, and enough for few examples."""
    weights: str = Field("", pattern=r"^([0-9a-f]{64})?$")
    """Weights to start from: the SHA-256 digest of an imported file of this very network; empty for random ones."""

    def out_shape(self, shape: Shape) -> Shape:
        channels, height, width = as_map(self, shape)
        if channels not in (1, 3):
            raise refusal(self, "images of 1 or 3 channels", shape, "Put it first, where the image itself arrives.")
        if self.name == "vit_b_16" and (height, width) != (VIT_SIDE, VIT_SIDE):
            hint = "Resize the images to 224 × 224 in the preparation of the data, or choose resnet18."
            raise refusal(self, f"images of exactly {VIT_SIDE} × {VIT_SIDE} for {self.name}", shape, hint)
        return (NETS[self.name].features,)

    def n_parameters(self, shape: Shape) -> int:
        """All of it, or nothing where it is frozen."""
        return 0 if self.frozen else NETS[self.name].n_parameters

    def n_frozen(self, shape: Shape) -> int:
        return NETS[self.name].n_parameters if self.frozen else 0

    def multiply_adds(self, shape: Shape) -> int:
        return _costs(self.name, shape[1:])[0]

    def n_activations(self, shape: Shape) -> int:
        """Of a net that is trained all that it holds, within 15 % of what torch keeps for images of 32 × 32 and more.

        Of a frozen one, which holds nothing where it is the first layer, the largest maps before and after one convolution.
        Behind layers that are trained a frozen one holds as much as one that is trained.
        """
        _, held, largest = _costs(self.name, shape[1:])
        return 2 * largest if self.frozen else held

    def window(self, shape: Shape) -> Window | None:
        return None

    def call(self, shape: Shape) -> Call:
        """Without the weights: they are filled in when a model is initialised, so that exported code needs no file of ours."""
        return Call("core.models.modules.backbone:Backbone", (self.name,), {"frozen": self.frozen})


@cache
def _costs(name: str, side: Shape) -> tuple[int, int, int]:
    """Multiply-adds, numbers held for the backward pass, and numbers of the largest map, for images of `side` = (H, W)."""
    if name == "vit_b_16":
        return _vit_costs()
    tally = _Tally(*side)
    if name == "resnet18":
        _count_resnet(tally)
    else:
        _count_mobilenet(tally)
    return tally.multiply_adds, tally.held, tally.largest


class _Tally:
    """Adds up convolutions, each with the batch normalisation behind it, and follows the size of the maps."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.multiply_adds = self.held = self.largest = 0

    def shrink(self, kernel: int, stride: int) -> int:
        """Maps after a window with the usual padding; gives the number of places."""
        self.height, self.width = (
            window_positions(side, kernel, stride, (kernel - 1) // 2) for side in (self.height, self.width)
        )
        return self.height * self.width

    def convolve(self, inputs: int, outputs: int, kernel: int, stride: int = 1, bends: int = 0) -> None:
        """`inputs` are the channels that one filter sees; `bends` counts activations that keep a copy of their own."""
        numbers = self.shrink(kernel, stride) * outputs
        self.multiply_adds += numbers * inputs * kernel**2
        self.held += (2 + bends) * numbers  # what the convolution gives, and what the normalisation makes of it
        self.largest = max(self.largest, numbers)


def _count_resnet(tally: _Tally) -> None:
    tally.convolve(3, 64, 7, 2)
    tally.held += 3 * 64 * tally.shrink(3, 2)  # pooling, with the indices of its maxima, 8 bytes each
    for inputs, outputs, stride in RESNET_STAGES:
        if stride > 1:
            places = window_positions(tally.height, 1, stride, 0) * window_positions(tally.width, 1, stride, 0)
            tally.multiply_adds += places * inputs * outputs
            tally.held += 2 * places * outputs
        tally.convolve(inputs, outputs, 3, stride)
        for _ in range(3):
            tally.convolve(outputs, outputs, 3)


def _count_mobilenet(tally: _Tally) -> None:
    tally.convolve(3, 16, 3, 2, bends=1)
    for index, (inputs, kernel, inner, outputs, squeezes, stride) in enumerate(MOBILE_BLOCKS):
        bends = int(index > 2)  # from the fourth block on Hardswish, which keeps what it gets beside what it gives
        if inner != inputs:
            tally.convolve(inputs, inner, 1, bends=bends)
        tally.convolve(1, inner, kernel, stride, bends=bends)
        if squeezes:
            squeezed = _in_eights(inner / 4)
            tally.multiply_adds += 2 * inner * squeezed
            tally.held += tally.height * tally.width * inner
        tally.convolve(inner, outputs, 1)
        if stride == 1 and inputs == outputs:
            tally.held += tally.height * tally.width * outputs
    tally.convolve(96, 576, 1, bends=1)


def _in_eights(width: float) -> int:
    """The multiple of 8 nearest to `width`, but not more than a tenth below it."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * width else rounded


def _vit_costs() -> tuple[int, int, int]:
    patches = (VIT_SIDE // VIT_PATCH) ** 2
    tokens, width = patches + 1, VIT_WIDTH
    embedding = patches * width * 3 * VIT_PATCH**2
    linear, attention = 12 * tokens * width**2, 2 * tokens**2 * width  # queries, keys, values, output, and 4 + 4 times the MLP
    held = VIT_BLOCKS * 16 * tokens * width + 2 * tokens * width
    return embedding + VIT_BLOCKS * (linear + attention), held, 4 * tokens * width
