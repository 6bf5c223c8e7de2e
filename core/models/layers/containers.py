"""Layers that hold layers: a skip around an inner stack, and branches side by side."""

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

from core.errors import ShapeError
from core.models.layer import Call, LayerChoice
from core.models.layers.refusal import refusal
from core.models.stack import Inference, infer_stack
from core.types import Shape, shape_text

if TYPE_CHECKING:
    from core.models.layers.menu import AnyLayer

MAX_INNER = 16
"""Layers in one branch."""


class Container(LayerChoice):
    """What both share: costs are sums over the branches, all of which get the same input."""

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """The inner stacks are edited as stacks, not as fields."""
        return {name: info for name, info in super().knobs().items() if name not in ("layers", "branches")}

    def stacks(self, shape: Shape) -> tuple[Inference, ...]:
        """What is known of each branch.

        Raises:
            ShapeError: of the first layer inside that cannot take what it receives.
        """
        found = tuple(infer_stack(branch, shape) for branch in self.inner())
        for inference in found:
            path = inference.error_path
            error = inference.at(path).error if path is not None else None
            if error is not None:
                raise error
        return found

    def n_parameters(self, shape: Shape) -> int:
        return sum(stack.n_parameters for stack in self.stacks(shape))

    def multiply_adds(self, shape: Shape) -> int:
        return sum(stack.multiply_adds for stack in self.stacks(shape))

    def n_activations(self, shape: Shape) -> int:
        own = super().n_activations(shape)
        return own + sum(stack.n_activations for stack in self.stacks(shape))

    def branch_calls(self, shape: Shape) -> tuple[Call, ...]:
        """Each branch as an nn.Sequential."""
        return tuple(_sequential(branch, stack) for branch, stack in zip(self.inner(), self.stacks(shape), strict=True))


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
        out = self.stacks(shape)[0].out_shape
        if out is None or (out != shape and not self._can_project(shape, out)):
            raise refusal(
                self,
                f"inner layers that give {shape_text(shape)} back, to add it to the input, which they turn into "
                f"{shape_text(out or ())}, and so",
                shape,
                "Use padding so that maps keep their size, or switch the projection on.",
            )
        return out

    def _can_project(self, shape: Shape, out: Shape) -> bool:
        """Maps may also become smaller by a whole stride."""
        if not self.projection or len(out) != len(shape):
            return False
        return len(shape) != 3 or self._stride(shape, out) is not None

    def _stride(self, shape: Shape, out: Shape) -> int | None:
        """The stride of a 1 × 1 convolution that takes maps of `shape` to the size of `out`."""
        fits = [s for s in range(1, 17) if all((a - 1) // s + 1 == b for a, b in zip(shape[1:], out[1:], strict=True))]
        return fits[0] if fits else None

    def _projection(self, shape: Shape) -> Call | None:
        out = self.out_shape(shape)
        if out == shape:
            return None
        if len(shape) == 3:
            return Call("torch.nn:Conv2d", (shape[0], out[0], 1), {"stride": self._stride(shape, out) or 1})
        return Call("torch.nn:Linear", (shape[-1], out[-1]))

    def n_parameters(self, shape: Shape) -> int:
        out = self.out_shape(shape)
        skip = 0 if out == shape else (_width(shape) + 1) * _width(out)
        return super().n_parameters(shape) + skip

    def multiply_adds(self, shape: Shape) -> int:
        out = self.out_shape(shape)
        places = out[1] * out[2] if len(out) == 3 else out[0] if len(out) == 2 else 1
        return super().multiply_adds(shape) + (0 if out == shape else places * _width(shape) * _width(out))

    def call(self, shape: Shape) -> Call:
        return Call("core.models.modules.branches:Residual", (*self.branch_calls(shape), self._projection(shape)))


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
    branches: "tuple[tuple[AnyLayer, ...], ...]" = Field(((), ()), min_length=1, max_length=4)
    """The branches; an empty one passes its input on."""

    def inner(self) -> tuple[tuple[LayerChoice, ...], ...]:
        return self.branches

    def out_shape(self, shape: Shape) -> Shape:
        shapes = [stack.out_shape or () for stack in self.stacks(shape)]
        first = shapes[0]
        if self.merge == "add":
            if len(set(shapes)) > 1:
                raise self._unequal(shapes, "equal shapes from all branches, to add them")
            return first
        axis = 0 if len(first) != 2 else 1
        if len({(len(one), *one[:axis], *one[axis + 1 :]) for one in shapes}) > 1:
            raise self._unequal(shapes, "branches that differ in their channels alone, to join them")
        return (*first[:axis], sum(one[axis] for one in shapes), *first[axis + 1 :])

    def _unequal(self, shapes: list[Shape], needs: str) -> ShapeError:
        given = " and ".join(shape_text(one) for one in shapes)
        return ShapeError(
            f"{self.kind} needs {needs}, but they give {given}.",
            hint="Set padding and stride so that the branches agree.",
            layer=self.kind,
            shapes=tuple(shapes),
        )

    def call(self, shape: Shape) -> Call:
        axis = 2 if len(self.out_shape(shape)) == 2 else 1
        return Call("core.models.modules.branches:Parallel", self.branch_calls(shape), {"merge": self.merge, "axis": axis})
