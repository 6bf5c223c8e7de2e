"""The arithmetic of a window that slides over maps: how many places it has, and which inputs it reads at each."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from core.models.layer import Window
from core.models.layers.refusal import Map, refusal
from core.spec import Choice


@dataclass(frozen=True, slots=True)
class Placed(Window):
    """A Window that also says where it lies: output `v` reads the inputs ⌈v·step + first⌉ to ⌊v·step + last⌋.

    Inputs are numbered from 0; padding has numbers below 0 or beyond the last. `size` is the most that one output reads.
    """

    first: Fraction = Fraction(0)
    last: Fraction = Fraction(0)

    def inputs(self, start: int, end: int) -> tuple[int, int]:
        """First and last input that the outputs `start` to `end` read."""
        return ceil(start * self.step + self.first), floor(end * self.step + self.last)


def placed(window: Window) -> Placed:
    """`window` with a place: its own, or else the first output reads from the first input on.

    A plain window with a step below 1 reads its `size` inputs from ⌊v·step⌋ on.
    """
    if isinstance(window, Placed):
        return window
    first = min(window.step - 1, Fraction(0)) if window.step.denominator > 1 else Fraction(0)
    return Placed(window.size, window.step, first, Fraction(window.size - 1))


def sliding(kernel: int, stride: int, padding: int = 0, dilation: int = 1) -> Placed:
    """The window of a convolution or a pooling; with a dilation, from its first to its last input."""
    size = dilation * (kernel - 1) + 1
    return Placed(size, Fraction(stride), Fraction(-padding), Fraction(size - 1 - padding))


def enlarging(kernel: int, stride: int, padding: int = 0) -> Placed:
    """The window of a transposed convolution, by which each input writes to `kernel` outputs, `stride` outputs apart.

    One output reads at most ⌈kernel / stride⌉ inputs. Repeating each pixel is the case kernel = stride.
    """
    step = Fraction(1, stride)
    return Placed(-(-kernel // stride), step, (padding - kernel + 1) * step, padding * step)


def interpolating(scale: int) -> Placed:
    """The window of bilinear interpolation without aligned corners, which lies at (v + 1/2) / scale - 1/2.

    One output reads the two inputs around this place, or one that lies exactly there.
    """
    return Placed(2, Fraction(1, scale), Fraction(2 - 3 * scale, 2 * scale), Fraction(1, 2))


def adaptive(size: int, bins: int) -> Placed:
    """The window of adaptive pooling of `size` inputs into `bins`: bin `v` reads ⌊v·size/bins⌋ to ⌈(v+1)·size/bins⌉ - 1."""
    most = max(-(-(v + 1) * size // bins) - v * size // bins for v in range(bins))
    step = Fraction(size, bins)
    return Placed(most, step, Fraction(1 - bins, bins), step - Fraction(1, bins))


def window_positions(size: int, kernel: int, stride: int, padding: int, dilation: int = 1) -> int:
    """Places a window has along one axis; 0 or less where it does not fit.

    Source:
        Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", relationship 15.
    """
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def slide(layer: Choice, maps: Map, kernel: int, stride: int, padding: int, dilation: int = 1) -> tuple[int, int]:
    """Height and width after a square window has slid over maps of (C, H, W).

    Raises:
        ShapeError: the window is larger than the padded map.
    """
    height, width = (window_positions(size, kernel, stride, padding, dilation) for size in maps[1:])
    if height < 1 or width < 1:
        reach = dilation * (kernel - 1) + 1
        least = max(1, reach - 2 * padding)
        what = f"its {reach} × {reach} window" + (f" with padding {padding}" if padding else "")
        hint = "Lower its kernel_size, raise its padding, or remove a pooling layer before it."
        raise refusal(layer, f"maps of at least {least} × {least} for {what}", maps, hint)
    return height, width
