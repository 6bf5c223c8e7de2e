"""The arithmetic of a window that slides over maps, shared by convolution and pooling."""

from core.models.layers.refusal import Map, refusal
from core.spec import Choice


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
