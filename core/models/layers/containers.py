"""Layers that hold layers: a skip around an inner stack, and branches side by side."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, TypeVar

from pydantic import Field, model_validator
from pydantic.fields import FieldInfo

from core.errors import ShapeError, SpecError
from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import received
from core.models.layers.window import sliding
from core.models.stack import Inference, infer_stack
from core.types import Shape

if TYPE_CHECKING:
    from core.models.layers.menu import AnyLayer

MAX_INNER = 16
"""Layers in one branch."""
MAX_DEPTH = 3
"""Containers inside each other."""
MAX_TOTAL = 64
"""Layers of a model, with the containers and all that they hold."""
MAX_STRIDE = 16
"""Steps of a projection: a skip can be fitted to maps that are up to so many times smaller."""


def n_layers(layers: Sequence[LayerChoice]) -> int:
    """Layers in a stack, with the containers and all that they hold."""
    return sum(1 + sum(n_layers(branch) for branch in layer.inner()) for layer in layers)


def depth(layers: Sequence[LayerChoice]) -> int:
    """Containers inside each other: 0 for a plain stack."""
    return max((1 + max(map(depth, layer.inner())) for layer in layers if layer.inner()), default=0)


Layers = TypeVar("Layers", bound=Sequence[LayerChoice])


def within_limit(layers: Layers) -> Layers:
    """`layers`, which are no more than a model may have.

    Raises:
        SpecError: they are.
    """
    count = n_layers(layers)
    if count > MAX_TOTAL:
        message = f"This stack has {count:,} layers, those inside of others counted too; the limit is {MAX_TOTAL}."
        raise SpecError(message, hint="Remove layers.", n_layers=count, max_layers=MAX_TOTAL)
    return layers


class Container(LayerChoice):
    """What both share: costs are sums over the branches, all of which get the same input."""

    @model_validator(mode="after")
    def _is_small(self) -> Self:
        """Raises a SpecError itself: pydantic would wrap a ValueError into words for programmers."""
        if depth((self,)) > MAX_DEPTH:
            raise SpecError(
                f"Layers are nested more than {MAX_DEPTH} deep.",
                hint=f"Put at most {MAX_DEPTH} Residual or Parallel layers inside each other.",
                max_depth=MAX_DEPTH,
            )
        within_limit((self,))
        return self

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """The inner stacks are edited as stacks, not as fields."""
        return {name: info for name, info in super().knobs().items() if name not in ("layers", "branches")}

    def stacks(self, shape: Shape) -> tuple[Inference, ...]:
        """What is known of each branch.

        Raises:
            ShapeError: of the first layer inside that cannot take what it receives.
        """
        found = _inferred(self.inner(), shape)
        for inference in found:
            path = inference.error_path
            error = inference.at(path).error if path is not None else None
            if error is not None:  # a fresh one, as raising adds to the traceback
                raise ShapeError(error.message, hint=error.hint, **error.params)
        return found

    def n_parameters(self, shape: Shape) -> int:
        return sum(stack.n_parameters for stack in self.stacks(shape))

    def n_frozen(self, shape: Shape) -> int:
        return sum(stack.n_frozen for stack in self.stacks(shape))

    def multiply_adds(self, shape: Shape) -> int:
        return sum(stack.multiply_adds for stack in self.stacks(shape))

    def n_activations(self, shape: Shape) -> int:
        """Those of all branches, and what comes out."""
        own = super().n_activations(shape)
        return own + sum(stack.n_activations for stack in self.stacks(shape))

    def window(self, shape: Shape) -> Window | None:
        """What it reads past its branches; None for nothing. What the branches read is known of their layers."""
        return None

    def branch_calls(self, shape: Shape) -> tuple[Call, ...]:
        """Each branch as an nn.Sequential."""
        return tuple(_sequential(branch, stack) for branch, stack in zip(self.inner(), self.stacks(shape), strict=True))


@lru_cache(maxsize=1024)
def _inferred(branches: tuple[tuple[LayerChoice, ...], ...], shape: Shape) -> tuple[Inference, ...]:
    """Kept, as every question to a container asks it again, and a container inside a container many times more."""
    return tuple(infer_stack(branch, shape) for branch in branches)


def _sequential(branch: tuple[LayerChoice, ...], stack: Inference) -> Call:
    calls = [layer.call(info.in_shape or ()) for layer, info in zip(branch, stack.layers, strict=True)]
    return Call("torch.nn:Sequential", tuple(calls))


class Residual(Container):
    """A skip connection: adds its input to what the inner layers give, so that they only learn the difference."""

    kind: Literal["Residual"] = "Residual"
    label: ClassVar[str] = "Residual"
    source: ClassVar[str] = 'He et al. 2016, "Deep residual learning for image recognition", section 3.2'

    projection: bool = True
    """Where the inner layers change the shape, a learned linear layer (1 × 1 convolution for maps) fits the skip to it."""
    layers: "tuple[AnyLayer, ...]" = Field((), max_length=MAX_INNER)
    """The inner stack."""

    def inner(self) -> tuple[tuple[LayerChoice, ...], ...]:
        return (self.layers,)

    def out_shape(self, shape: Shape) -> Shape:
        out = self.stacks(shape)[0].out_shape or ()
        if out == shape:
            return out
        if not self.projection or _skip_stride(shape, out) is None:
            cannot = "which its skip cannot be fitted to" if self.projection else "and its skip has no projection"
            message = f"{self.kind} adds its input to what its inner layers give, but they turn {received(shape)} into "
            message += f"{received(out)}, {cannot}."
            raise ShapeError(message, hint=self._hint(shape, out), layer=self.kind, shape=shape, out=out)
        return out

    def _hint(self, shape: Shape, out: Shape) -> str:
        if len(shape) != len(out):
            return "Take the layer that changes the number of axes out of it."
        if not self.projection and _skip_stride(shape, out) is not None:
            return "Switch its projection on."
        if len(shape) == 2:
            return "Give the inner layers a padding and a stride of 1 that keep the length."
        return f"Give the inner layers a padding that keeps the size of the maps, or one stride of 2 to {MAX_STRIDE}."

    def _projection(self, shape: Shape) -> Call | None:
        out = self.out_shape(shape)
        if out == shape:
            return None
        if len(shape) == 3:
            return Call("torch.nn:Conv2d", (shape[0], out[0], 1), {"stride": _skip_stride(shape, out) or 1})
        return Call("torch.nn:Linear", (shape[-1], out[-1]))

    def n_parameters(self, shape: Shape) -> int:
        out = self.out_shape(shape)
        skip = 0 if out == shape else (_width(shape) + 1) * _width(out)
        return super().n_parameters(shape) + skip

    def multiply_adds(self, shape: Shape) -> int:
        out = self.out_shape(shape)
        places = out[1] * out[2] if len(out) == 3 else out[0] if len(out) == 2 else 1
        return super().multiply_adds(shape) + (0 if out == shape else places * _width(shape) * _width(out))

    def window(self, shape: Shape) -> Window | None:
        """Of the skip."""
        return sliding(1, _skip_stride(shape, self.out_shape(shape)) or 1)

    def call(self, shape: Shape) -> Call:
        return Call("core.models.modules.branches:Residual", (*self.branch_calls(shape), self._projection(shape)))


def _skip_stride(shape: Shape, out: Shape) -> int | None:
    """The stride with which a projection of `shape` gives the size of `out`; None where none does, or axes differ.

    A 1 × 1 convolution makes maps smaller by a stride; a linear layer keeps the steps of a sequence.
    """
    if len(out) != len(shape):
        return None
    if len(shape) != 3:
        return 1 if out[:-1] == shape[:-1] else None
    fits = (s for s in range(1, MAX_STRIDE + 1) if all((a - 1) // s + 1 == b for a, b in zip(shape[1:], out[1:], strict=True)))
    return next(fits, None)


def _width(shape: Shape) -> int:
    """Channels of maps, features of vectors."""
    return shape[0] if len(shape) == 3 else shape[-1]


class Parallel(Container):
    """Branches that all get the same input; what they give is joined or added."""

    kind: Literal["Parallel"] = "Parallel"
    label: ClassVar[str] = "Parallel"
    source: ClassVar[str] = 'Szegedy et al. 2015, "Going deeper with convolutions"'

    merge: Literal["concat", "add"] = "concat"
    """concat: channels (or features) one after another; add: number by number, for equal shapes."""
    branches: "tuple[Annotated[tuple[AnyLayer, ...], Field(max_length=MAX_INNER)], ...]" = Field(
        ((), ()), min_length=1, max_length=4
    )
    """The branches; an empty one passes its input on."""

    def inner(self) -> tuple[tuple[LayerChoice, ...], ...]:
        return self.branches

    def out_shape(self, shape: Shape) -> Shape:
        shapes = [stack.out_shape or () for stack in self.stacks(shape)]
        first = shapes[0]
        if self.merge == "add":
            if len(set(shapes)) > 1:
                hint = "Give the branches equal channels, padding and stride, or set merge to concat."
                raise self._unequal(shapes, "adds what its branches give, which needs equal shapes", hint)
            return first
        axis = 1 if len(first) == 2 else 0
        if len({(len(one), *one[:axis], *one[axis + 1 :]) for one in shapes}) > 1:
            parts = {1: "vectors", 2: "sequences of one length", 3: "maps of one size"}.get(len(first), "equal shapes")
            hint = "Set padding and stride so that the branches agree, and Flatten in all of them or in none."
            raise self._unequal(shapes, f"joins what its branches give, which needs {parts} from all", hint)
        return (*first[:axis], sum(one[axis] for one in shapes), *first[axis + 1 :])

    def _unequal(self, shapes: list[Shape], needs: str, hint: str) -> ShapeError:
        given = " and ".join(received(one) for one in shapes)
        return ShapeError(f"{self.kind} {needs}, but they give {given}.", hint=hint, layer=self.kind, shapes=tuple(shapes))

    def call(self, shape: Shape) -> Call:
        axis = 2 if len(self.out_shape(shape)) == 2 else 1
        return Call("core.models.modules.branches:Parallel", self.branch_calls(shape), {"merge": self.merge, "axis": axis})
