"""Which pixels an output of a layer can depend on, to the pixel: each layer's window, clipped to what it really gets."""

from collections.abc import Sequence

import numpy as np

from core.errors import NotApplicable
from core.models.layer import LayerChoice
from core.models.layers.window import placed
from core.models.stack import Inference, LayerInfo, Path, infer_stack
from core.types import Shape

Span = tuple[int, int]
"""First and last place along one axis; a first above the last is none at all."""
NONE: Span = (0, -1)


def field_spans(layers: Sequence[LayerChoice], input_shape: Shape, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """For the layer at `path` the rows of the image (H', 2) that each of its rows can see, and the columns (W', 2); int64.

    Padding is left out: the spans lie within the image. Torch-free.

    Raises:
        NotApplicable: the layer gives no maps, or the data are no images.
    """
    inference = infer_stack(layers, input_shape)
    out = inference.at(path).out_shape
    if len(input_shape) != 3 or out is None or len(out) != 3:
        raise NotApplicable(
            "Only a pixel of a map, made of an image, has a receptive field.", hint="Choose a layer that gives maps."
        )
    return _spans(layers, inference, path, 0), _spans(layers, inference, path, 1)


def field_size(layers: Sequence[LayerChoice], input_shape: Shape, path: Path) -> tuple[int, int]:
    """Height and width of the field of an output of this layer, padding counted; the image's own where it sees all."""
    reach = infer_stack(layers, input_shape).at(path).reach
    return (input_shape[1], input_shape[2]) if reach is None else (reach.size, reach.size)


def _spans(layers: Sequence[LayerChoice], inference: Inference, path: Path, axis: int) -> np.ndarray:
    out = inference.at(path).out_shape or ()
    found = [_seen_from(layers, inference, path, axis, (at, at)) for at in range(out[1 + axis])]
    return np.array(found, np.int64).reshape(-1, 2)


def _seen_from(layers: Sequence[LayerChoice], inference: Inference, path: Path, axis: int, span: Span) -> Span:
    """What the outputs `span` of the layer at `path` see of the input of `layers`."""
    index = path[0]
    if len(path) > 1:  # inside a container: first to what the container gets, which its branch gets
        branch = layers[index].inner()[path[1]]
        inside = _seen_from(branch, inference.layers[index].branches[path[1]], path[2:], axis, span)
        return _through_all(layers[:index], inference, axis, inside)
    return _through_all(layers[: index + 1], inference, axis, span)


def _through_all(layers: Sequence[LayerChoice], inference: Inference, axis: int, span: Span) -> Span:
    for index in reversed(range(len(layers))):
        span = _through(layers[index], inference.layers[index], axis, span)
    return span


def _through(layer: LayerChoice, info: LayerInfo, axis: int, span: Span) -> Span:
    """The inputs of one layer that its outputs `span` read; those that lie in its padding are left out."""
    shape = info.in_shape or ()
    if span[0] > span[1]:
        return NONE
    if len(shape) != 3:
        return (0, max(0, *shape))  # what no longer lies in a plane may come from anywhere
    size = shape[1 + axis]
    if layer.inner():
        return _through_container(layer, info, axis, span)
    window = layer.window((shape[0], size, size))  # an adaptive pooling's depends on the size, axis by axis
    if window is None:
        return (0, size - 1)
    first, last = placed(window).inputs(*span)
    return _clipped(first, last, size)


def _through_container(layer: LayerChoice, info: LayerInfo, axis: int, span: Span) -> Span:
    """What any of its branches sees, and what its skip does."""
    shape = info.in_shape or ()
    spans = [_through_all(branch, inside, axis, span) for branch, inside in zip(layer.inner(), info.branches, strict=True)]
    skip = layer.window(shape)
    if skip is not None:
        spans.append(_clipped(*placed(skip).inputs(*span), shape[1 + axis]))
    spans = [one for one in spans if one[0] <= one[1]]
    return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else NONE


def _clipped(first: int, last: int, size: int) -> Span:
    first, last = max(first, 0), min(last, size - 1)
    return (first, last) if first <= last else NONE
