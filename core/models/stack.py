"""What is known of layers in a row without torch: shapes, parameters, costs, and how far each output sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.errors import ShapeError
from core.models.layer import LayerChoice, Window
from core.types import Shape

Path = tuple[int, ...]
"""Place of a layer: its index in the stack; inside a container then the branch and the index in it: (3, 0, 1)."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an output sees along each spatial axis (or time): `size` inputs, the next output `step` inputs further."""

    size: Fraction = Fraction(1)
    step: Fraction = Fraction(1)

    def through(self, window: Window) -> "Reach":
        """After one more layer.

        Source:
            Araujo et al. 2019, "Computing receptive fields of convolutional neural networks".
        """
        return Reach(self.size + (window.size - 1) * self.step, self.step * window.step)


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What is known of one layer in its stack. Shapes exclude the batch axis.

    `error` is set where this layer, or one inside it, cannot take what it receives; `is_blocked` where an earlier layer could
    not, so that nothing can be known here. In both cases `out_shape` is None and the numbers are 0. `reach` is None where an
    output sees the whole input. `branches` holds what is known inside a container.
    """

    in_shape: Shape | None
    out_shape: Shape | None
    n_parameters: int = 0
    multiply_adds: int = 0
    n_activations: int = 0
    reach: Reach | None = None
    error: ShapeError | None = None
    is_blocked: bool = False
    branches: tuple["Inference", ...] = ()


@dataclass(frozen=True, slots=True)
class Inference:
    """Shapes, parameters and multiply-adds (one example, forward) of a stack; `out_shape` is None after a shape error."""

    input_shape: Shape
    layers: tuple[LayerInfo, ...]
    n_parameters: int
    multiply_adds: int
    n_activations: int
    out_shape: Shape | None
    reach: Reach | None

    @property
    def error_index(self) -> int | None:
        """Index of the layer that cannot take its input, or holds one that cannot; None if all can."""
        return next((index for index, info in enumerate(self.layers) if info.error is not None), None)

    @property
    def error_path(self) -> Path | None:
        """As `error_index`, down to the very layer."""
        index = self.error_index
        if index is None:
            return None
        for branch, inner in enumerate(self.layers[index].branches):
            if inner.error_path is not None:
                return (index, branch, *inner.error_path)
        return (index,)

    def at(self, path: Path) -> LayerInfo:
        """What is known of the layer at `path`."""
        info = self.layers[path[0]]
        return info if len(path) == 1 else info.branches[path[1]].at(path[2:])


def infer_stack(layers: Sequence[LayerChoice], input_shape: Shape, reach: Reach | None = Reach()) -> Inference:
    """Shapes and costs layer by layer. Never raises a ShapeError: it is in the layer that it stops at."""
    infos: list[LayerInfo] = []
    shape: Shape | None = input_shape
    for layer in layers:
        info = _layer_info(layer, shape, reach)
        infos.append(info)
        shape, reach = info.out_shape, info.reach
    return Inference(
        input_shape=input_shape,
        layers=tuple(infos),
        n_parameters=sum(info.n_parameters for info in infos),
        multiply_adds=sum(info.multiply_adds for info in infos),
        n_activations=sum(info.n_activations for info in infos),
        out_shape=shape,
        reach=reach,
    )


def _layer_info(layer: LayerChoice, shape: Shape | None, reach: Reach | None) -> LayerInfo:
    if shape is None:
        blocked = tuple(_blocked(branch) for branch in layer.inner())
        return LayerInfo(None, None, is_blocked=True, branches=blocked)
    branches = tuple(infer_stack(branch, shape, reach) for branch in layer.inner())
    try:
        out = layer.out_shape(shape)
    except ShapeError as error:
        return LayerInfo(shape, None, error=error, branches=branches)
    return LayerInfo(
        shape,
        out,
        layer.n_parameters(shape),
        layer.multiply_adds(shape),
        layer.n_activations(shape),
        _reach(layer, shape, reach, branches),
        branches=branches,
    )


def _reach(layer: LayerChoice, shape: Shape, reach: Reach | None, branches: tuple[Inference, ...]) -> Reach | None:
    """A container sees as far as the branch that sees furthest."""
    if branches:
        ends = [branch.reach for branch in branches]
        return None if None in ends else max((end for end in ends if end is not None), key=lambda end: end.size)
    window = layer.window(shape)
    return None if reach is None or window is None else reach.through(window)


def _blocked(layers: Sequence[LayerChoice]) -> Inference:
    infos = tuple(LayerInfo(None, None, is_blocked=True, branches=tuple(map(_blocked, layer.inner()))) for layer in layers)
    return Inference((), infos, 0, 0, 0, None, None)
