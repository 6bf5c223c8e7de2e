"""Changed stacks that mend a finding of the linter. Each is tried before it is offered: a fix that does not help is none."""

from collections.abc import Iterator

from core.diagnostics import Fix
from core.models.layers.activation import Softmax
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import MAX_FEATURES, Linear
from core.models.layers.menu import AnyLayer
from core.models.layers.pooling import AvgPool2d, MaxPool2d
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d
from core.models.layers.shape import Flatten
from core.models.layers.window import window_positions
from core.models.model import MAX_LAYERS, ModelSpec, infer
from core.models.stack import Inference
from core.types import Shape

Layers = tuple[AnyLayer, ...]


def fixed(label: str, layers: Layers) -> Fix | None:
    """A fix with these layers; None where they are more than a stack may have."""
    return Fix(label, ModelSpec(layers=layers)) if len(layers) <= MAX_LAYERS else None


def without(layers: Layers, index: int) -> Layers:
    return (*layers[:index], *layers[index + 1 :])


def inserted(layers: Layers, index: int, layer: AnyLayer) -> Layers:
    """`layer` put where it becomes number `index`."""
    return (*layers[:index], layer, *layers[index:])


def replaced(layers: Layers, index: int, layer: AnyLayer) -> Layers:
    return (*layers[:index], layer, *layers[index + 1 :])


def shape_fix(model: ModelSpec, inference: Inference, index: int) -> Fix | None:
    """The first change after which shapes run past layer `index`, the least intrusive tried first.

    Applied again and again it always ends: each fix leaves fewer layers behind the shape error.
    """
    behind = len(model.layers) - index
    shape = inference.layers[index].in_shape or ()
    for label, layers in _shape_candidates(model.layers, index, shape):
        candidate = fixed(label, layers)
        if candidate is None:
            continue
        stop = infer(ModelSpec(layers=layers), inference.input_shape).error_index
        if stop is None or len(layers) - stop < behind:
            return candidate
    return None


def _shape_candidates(layers: Layers, index: int, shape: Shape) -> Iterator[tuple[str, Layers]]:
    layer = layers[index]
    if isinstance(layer, Linear):
        yield "Insert Flatten before it", inserted(layers, index, Flatten())
    if isinstance(layer, BatchNorm1d):
        yield "Use BatchNorm2d", replaced(layers, index, BatchNorm2d(momentum=layer.momentum, eps=layer.eps))
    if isinstance(layer, BatchNorm2d):
        yield "Use BatchNorm1d", replaced(layers, index, BatchNorm1d(momentum=layer.momentum, eps=layer.eps))
    if isinstance(layer, Conv2d):
        yield "Set groups to 1", replaced(layers, index, layer.but(groups=1))
    if isinstance(layer, MaxPool2d | AvgPool2d) and 2 * layer.padding > layer.kernel_size:
        padding = layer.kernel_size // 2
        yield f"Set padding to {padding}", replaced(layers, index, layer.but(padding=padding))
    if isinstance(layer, Conv2d | MaxPool2d | AvgPool2d):
        yield from _without_flatten(layers, index)
    if isinstance(layer, Conv2d) and len(shape) == 3:
        yield from _smaller_filter(layers, index, layer, shape)
    yield f"Remove {layer.kind}", without(layers, index)


def _without_flatten(layers: Layers, index: int) -> Iterator[tuple[str, Layers]]:
    """The last Flatten before `index`, moved to where a flat vector is next needed, or removed."""
    before = next((i for i in reversed(range(index)) if isinstance(layers[i], Flatten)), None)
    if before is None:
        return
    needed = next((i for i in range(index, len(layers)) if isinstance(layers[i], Linear | Flatten)), None)
    if needed is not None and isinstance(layers[needed], Linear):
        yield "Move Flatten before the next Linear", without(inserted(layers, needed, layers[before]), before)
    else:
        yield "Remove the Flatten before it", without(layers, before)


def _smaller_filter(layers: Layers, index: int, layer: Conv2d, shape: Shape) -> Iterator[tuple[str, Layers]]:
    side = min(shape[1:])
    for kernel in range(layer.kernel_size, 0, -1):
        if window_positions(side, kernel, layer.stride, layer.padding) > 0:
            label = f"Set kernel_size to {kernel}" + (" and dilation to 1" if layer.dilation > 1 else "")
            yield label, replaced(layers, index, layer.but(kernel_size=kernel, dilation=1))
            return


def output_fix(model: ModelSpec, input_shape: Shape, n_classes: int) -> Fix | None:
    """The stack with `n_classes` outputs: its final Linear resized, or one appended."""
    if not 1 <= n_classes <= MAX_FEATURES:
        return None
    last = len(model.layers) - 1
    while last >= 0 and isinstance(model.layers[last], Softmax):
        last -= 1
    final = model.layers[last] if last >= 0 else None
    if isinstance(final, Linear):
        resized = replaced(model.layers, last, final.but(out_features=n_classes))
        return fixed(f"Set out_features to {n_classes:,}", resized)
    shape = infer(model, input_shape).out_shape
    flatten = (Flatten(),) if shape is not None and len(shape) != 1 else ()
    label = f"Append {'Flatten and ' if flatten else ''}Linear with {n_classes:,} outputs"
    return fixed(label, (*model.layers, *flatten, Linear(out_features=n_classes)))


def smaller_fix(model: ModelSpec, inference: Inference, max_parameters: int) -> Fix | None:
    """The stack with one layer made narrower (by halving), so that it fits `max_parameters` and gives the same shape."""
    if inference.out_shape is None:
        return None
    by_size = sorted(range(len(model.layers)), key=lambda index: -inference.layers[index].n_parameters)
    for index in by_size[:4]:
        for label, layer in _narrower(model.layers[index]):
            layers = replaced(model.layers, index, layer)
            result = infer(ModelSpec(layers=layers), inference.input_shape)
            if result.n_parameters <= max_parameters and result.out_shape == inference.out_shape:
                return fixed(f"Layer {index + 1} {layer.kind}: {label}", layers)
    return None


def _narrower(layer: AnyLayer) -> Iterator[tuple[str, AnyLayer]]:
    if isinstance(layer, Linear):
        width = layer.out_features
        while (width := width // 2) > 0:
            yield f"set out_features to {width:,}", layer.but(out_features=width)
    if isinstance(layer, Conv2d):
        width = layer.out_channels
        while (width := width // 2) > 0:
            yield f"set out_channels to {width:,}", layer.but(out_channels=width)
