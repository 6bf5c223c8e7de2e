"""Changed stacks that mend a finding of the linter. Each is tried before it is offered: a fix that does not help is none."""

from collections.abc import Callable, Iterator
from typing import Any

from core.diagnostics import Fix
from core.errors import SpecError
from core.models.layer import LayerChoice
from core.models.layers.activation import Softmax
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import MAX_FEATURES, Linear
from core.models.layers.pooling import AvgPool2d, MaxPool2d
from core.models.layers.regularization import BatchNorm1d, BatchNorm2d
from core.models.layers.shape import Flatten
from core.models.layers.window import window_positions
from core.models.model import ModelSpec, all_layers, infer, layer_at
from core.models.stack import Inference, Path
from core.types import Shape

Row = tuple[Any, ...]
"""Layers in a row: the whole stack, or one branch of a container."""
Edit = Callable[[Row, int], Row]
"""A row and an index in it, to the changed row."""


def edited(layers: Row, path: Path, edit: Edit) -> Row:
    """The stack after `edit` of the row in which the layer at `path` stands."""
    if len(path) == 1:
        return edit(layers, path[0])
    index, branch, *rest = path
    container = layers[index]
    inner = edited(container.inner()[branch], tuple(rest), edit)
    return replaced(layers, index, _with_branch(container, branch, inner))


def _with_branch(container: LayerChoice, number: int, inner: Row) -> LayerChoice:
    if isinstance(container, Residual):
        return container.but(layers=inner)
    if isinstance(container, Parallel):
        return container.but(branches=(*container.branches[:number], inner, *container.branches[number + 1 :]))
    raise TypeError(f"{container.kind} holds no layers")


def fixed(label: str, model: ModelSpec, path: Path, edit: Edit) -> Fix | None:
    """A fix by one edit; None where it makes more layers than a stack may have, or a value out of its bounds."""
    try:
        return Fix(label, model.but(layers=edited(model.layers, path, edit)))
    except SpecError:
        return None


def without(layers: Row, index: int) -> Row:
    return (*layers[:index], *layers[index + 1 :])


def inserted(layers: Row, index: int, layer: LayerChoice) -> Row:
    """`layer` put where it becomes number `index`."""
    return (*layers[:index], layer, *layers[index:])


def replaced(layers: Row, index: int, layer: LayerChoice) -> Row:
    return (*layers[:index], layer, *layers[index + 1 :])


def shape_fix(model: ModelSpec, inference: Inference, path: Path) -> Fix | None:
    """The first change after which shapes run past the layer at `path`, the least intrusive tried first.

    Applied again and again it always ends: each fix leaves fewer layers behind the shape error.
    """
    behind = _n_behind(model, path)
    shape = inference.at(path).in_shape or ()
    for label, edit in _shape_candidates(model, path, shape):
        candidate = fixed(label, model, path, edit)
        if candidate is None or not isinstance(candidate.spec, ModelSpec):
            continue
        stop = infer(candidate.spec, inference.input_shape).error_path
        if stop is None or _n_behind(candidate.spec, stop) < behind:
            return candidate
    return None


def _n_behind(model: ModelSpec, path: Path) -> int:
    """How many layers stand at or behind `path`, containers counted with what they hold."""
    order = [at for at, _ in all_layers(model.layers)]
    return len(order) - order.index(path)


def _shape_candidates(model: ModelSpec, path: Path, shape: Shape) -> Iterator[tuple[str, Edit]]:
    layer = layer_at(model.layers, path)
    if isinstance(layer, Linear) and len(shape) > 1:
        yield "Insert Flatten before it", lambda row, i: inserted(row, i, Flatten())
    yield from _other_settings(layer)
    if len(path) == 1 and isinstance(layer, Conv2d | MaxPool2d | AvgPool2d):
        yield from _without_flatten(model.layers, path[0])
    if isinstance(layer, Conv2d) and len(shape) == 3:
        yield from _smaller_filter(layer, shape)
    yield f"Remove {layer.kind}", without


def _other_settings(layer: LayerChoice) -> Iterator[tuple[str, Edit]]:
    if isinstance(layer, BatchNorm1d):
        yield "Use BatchNorm2d", swap(BatchNorm2d(momentum=layer.momentum, eps=layer.eps))
    if isinstance(layer, BatchNorm2d):
        yield "Use BatchNorm1d", swap(BatchNorm1d(momentum=layer.momentum, eps=layer.eps))
    if isinstance(layer, Conv2d):
        yield "Set groups to 1", swap(layer.but(groups=1))
    if isinstance(layer, MaxPool2d | AvgPool2d) and 2 * layer.padding > layer.kernel_size:
        padding = layer.kernel_size // 2
        yield f"Set padding to {padding}", swap(layer.but(padding=padding))
    if isinstance(layer, Residual) and not layer.projection:
        yield "Switch the projection on", swap(layer.but(projection=True))


def swap(layer: LayerChoice) -> Edit:
    """The edit that puts `layer` in the place of another."""
    return lambda row, index: replaced(row, index, layer)


def _without_flatten(layers: Row, index: int) -> Iterator[tuple[str, Edit]]:
    """The last Flatten before `index`, moved to where a flat vector is next needed, or removed."""
    before = next((i for i in reversed(range(index)) if isinstance(layers[i], Flatten)), None)
    if before is None:
        return
    needed = next((i for i in range(index, len(layers)) if isinstance(layers[i], Linear | Flatten)), None)
    if needed is not None and isinstance(layers[needed], Linear):
        moved = without(inserted(layers, needed, layers[before]), before)
        yield "Move Flatten before the next Linear", lambda row, i: moved
    else:
        yield "Remove the Flatten before it", lambda row, i: without(row, before)


def _smaller_filter(layer: Conv2d, shape: Shape) -> Iterator[tuple[str, Edit]]:
    side = min(shape[1:])
    for kernel in range(layer.kernel_size, 0, -1):
        if window_positions(side, kernel, layer.stride, layer.padding) > 0:
            label = f"Set kernel_size to {kernel}" + (" and dilation to 1" if layer.dilation > 1 else "")
            yield label, swap(layer.but(kernel_size=kernel, dilation=1))
            return


def output_fix(model: ModelSpec, input_shape: Shape, n_outputs: int) -> Fix | None:
    """The stack with `n_outputs` outputs: its final Linear resized, or one appended."""
    if not 1 <= n_outputs <= MAX_FEATURES:
        return None
    last = len(model.layers) - 1
    while last >= 0 and (isinstance(model.layers[last], Softmax) or model.layers[last].kind in ("LogSoftmax", "Sigmoid")):
        last -= 1
    final = model.layers[last] if last >= 0 else None
    if isinstance(final, Linear):
        resized = swap(final.but(out_features=n_outputs))
        return fixed(f"Set out_features to {n_outputs:,}", model, (last,), resized)
    shape = infer(model, input_shape).out_shape
    flatten = (Flatten(),) if shape is not None and len(shape) != 1 else ()
    label = f"Append {'Flatten and ' if flatten else ''}Linear with {n_outputs:,} outputs"
    return fixed(label, model, (0,), lambda row, i: (*row, *flatten, Linear(out_features=n_outputs)))


def smaller_fix(model: ModelSpec, inference: Inference, max_parameters: int) -> Fix | None:
    """The stack with one layer made narrower (by halving), so that it fits `max_parameters` and gives the same shape."""
    if inference.out_shape is None:
        return None
    by_size = sorted(range(len(model.layers)), key=lambda index: -inference.layers[index].n_parameters)
    for index in by_size[:4]:
        for label, layer in _narrower(model.layers[index]):
            smaller = model.but(layers=replaced(model.layers, index, layer))
            result = infer(smaller, inference.input_shape)
            if result.n_parameters <= max_parameters and result.out_shape == inference.out_shape:
                return Fix(f"Layer {index + 1} {layer.kind}: {label}", smaller)
    return None


def _narrower(layer: LayerChoice) -> Iterator[tuple[str, LayerChoice]]:
    field = "out_features" if isinstance(layer, Linear) else "out_channels"
    width = getattr(layer, field, 0)
    while (width := width // 2) > 0:
        yield f"set {field} to {width:,}", layer.but(**{field: width})
