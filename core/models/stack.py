"""What is known of layers in a row without torch: shapes, parameters, costs, and how far each output sees."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod

from core.errors import ShapeError
from core.models.layer import LayerChoice, Window
from core.models.layers.window import placed
from core.types import Shape

Path = tuple[int, ...]
"""Place of a layer: its index in the stack; inside a container then the branch and the index in it: (3, 0, 1)."""

MAX_PHASES = 64
"""Neighbouring outputs that are looked at for the largest reach: behind layers that enlarge maps, outputs see unequally far."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A container on the way: each of its branches sees for itself."""

    branches: tuple["Reach", ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """The receptive field along each spatial axis (or time): which inputs an output can depend on.

    `passed` are the windows and forks from the input to here. What is promised: the output depends on no input outside
    `inputs(v)`, and on the first and the last of them, except where (a) they lie outside the input, or some layer on the way
    reads outside its own input there, (b) a transposed convolution has a kernel smaller than its stride, so that some of its
    outputs read nothing, (c) an adaptive pooling gets maps that are not square, when the longer side counts for both, or
    (d) a layer in a branch does not say where its window lies. Whether weights happen to be zero is not known here.
    """

    passed: tuple[Window | Fork, ...] = ()

    def through(self, window: Window | Fork) -> "Reach":
        """After one more layer."""
        return Reach((*self.passed, window))

    def inputs(self, start: int, end: int | None = None) -> tuple[int, int]:
        """Numbers of the first and the last input that the outputs `start` to `end` see; padding lies outside the input."""
        first, last = start, start if end is None else end
        for step in reversed(self.passed):
            if isinstance(step, Fork):
                spans = [branch.inputs(first, last) for branch in step.branches]
                first, last = min(span[0] for span in spans), max(span[1] for span in spans)
            else:
                first, last = placed(step).inputs(first, last)
        return first, last

    @property
    def size(self) -> int:
        """Inputs from the first to the last that an output sees; of the output that sees furthest.

        Where branches with different steps meet (an adaptive pooling beside a projection), it is that of the first outputs.
        Without layers that enlarge, this is 1 + Σ (size - 1) · (product of the steps before).

        Source:
            Araujo et al. 2019, "Computing receptive fields of convolutional neural networks".
        """
        spans = [self.inputs(unit) for unit in range(min(self._period(), MAX_PHASES))]
        return max(0, *(last - first + 1 for first, last in spans))

    @property
    def step(self) -> Fraction:
        """Inputs between the fields of two neighbouring outputs; below 1 where maps have been enlarged."""
        return prod((step.branches[0].step if isinstance(step, Fork) else step.step for step in self.passed), start=Fraction(1))

    def _period(self) -> int:
        """Outputs this far apart have equal fields, moved."""
        each = (
            lcm(*(branch._period() for branch in step.branches)) if isinstance(step, Fork) else step.step.denominator
            for step in self.passed
        )
        return prod(each)


@dataclass(frozen=True, slots=True)
class LayerInfo:
    """What is known of one layer in its stack. Shapes exclude the batch axis.

    `error` is set where this layer, or one inside it, cannot take what it receives; `is_blocked` where an earlier layer could
    not, so that nothing can be known here. In both cases `out_shape` is None and the numbers are 0. `reach` is None where an
    output sees the whole input. `branches` holds what is known inside a container. `n_parameters` are trained, `n_frozen` not.
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
    n_frozen: int = 0


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
    n_frozen: int = 0

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
        n_frozen=sum(info.n_frozen for info in infos),
    )


def _layer_info(layer: LayerChoice, shape: Shape | None, reach: Reach | None) -> LayerInfo:
    if shape is None:
        blocked = tuple(_blocked(branch) for branch in layer.inner())
        return LayerInfo(None, None, is_blocked=True, branches=blocked)
    branches = tuple(infer_stack(branch, shape, reach) for branch in layer.inner())
    try:
        out = layer.out_shape(shape)
    except ShapeError as error:  # kept without its traceback, which would hold the frames that raised it
        return LayerInfo(shape, None, error=error.with_traceback(None), branches=branches)
    return LayerInfo(
        shape,
        out,
        layer.n_parameters(shape),
        layer.multiply_adds(shape),
        layer.n_activations(shape),
        _reach(layer, shape, reach, branches),
        branches=branches,
        n_frozen=layer.n_frozen(shape),
    )


def _reach(layer: LayerChoice, shape: Shape, reach: Reach | None, branches: tuple[Inference, ...]) -> Reach | None:
    """A container sees what any of its branches sees, and what its own window does (a skip), where it has one."""
    window = layer.window(shape)
    if not branches:
        return None if reach is None or window is None else reach.through(window)
    ends = [branch.reach for branch in branches]
    if reach is None or None in ends:
        return None
    inside = [Reach(end.passed[len(reach.passed) :]) for end in ends if end is not None]
    skip = [] if window is None else [Reach((window,))]
    return reach.through(Fork((*inside, *skip)))


def _blocked(layers: Sequence[LayerChoice]) -> Inference:
    infos = tuple(LayerInfo(None, None, is_blocked=True, branches=tuple(map(_blocked, layer.inner()))) for layer in layers)
    return Inference((), infos, 0, 0, 0, None, None)
