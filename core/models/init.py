"""How weights and biases start: the initialisations of torch.nn.init, as data."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.spec import Choice, on_menu

if TYPE_CHECKING:
    import torch


class InitChoice(Choice):
    """One initialisation. Its fields are the keyword arguments of the function of torch.nn.init."""

    def function(self) -> str:
        """The name in torch.nn.init; empty for what torch does by itself."""
        raise TypeError(f"{type(self).__name__} must name its function")

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the function."""
        return self.model_dump(exclude={"kind"})

    def fill(self, tensor: "torch.Tensor") -> None:
        """Start `tensor` anew, in place, from torch's random stream; nothing where torch's own start is kept."""
        if self.function():
            from torch.nn import init

            getattr(init, self.function())(tensor, **self.arguments())


class TorchDefault(InitChoice):
    """What torch does by itself: He uniform with a = √5 for linear layers and convolutions, that is U(±1/√fan_in)."""

    kind: Literal["default"] = "default"
    label: ClassVar[str] = "torch's default"

    def function(self) -> str:
        return ""


class NormalInit(InitChoice):
    """Random numbers from a normal distribution around 0."""

    kind: Literal["normal"] = "normal"
    label: ClassVar[str] = "Normal"
    std: float = Field(0.05, ge=0.0, le=10.0)
    """Standard deviation."""

    def function(self) -> str:
        return "normal_"


class UniformInit(InitChoice):
    """Random numbers between two bounds."""

    kind: Literal["uniform"] = "uniform"
    label: ClassVar[str] = "Uniform"
    bound: float = Field(0.05, ge=0.0, le=10.0)
    """Numbers lie between minus this and this."""

    def function(self) -> str:
        return "uniform_"

    def arguments(self) -> dict[str, Any]:
        return {"a": -self.bound, "b": self.bound}


class XavierInit(InitChoice):
    """Variance 2 / (fan_in + fan_out): keeps signals and gradients alive through Tanh and Sigmoid."""

    kind: Literal["xavier"] = "xavier"
    label: ClassVar[str] = "Xavier (Glorot)"
    source: ClassVar[str] = 'Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks"'
    distribution: Literal["uniform", "normal"] = "uniform"
    """Shape of the distribution."""
    gain: float = Field(1.0, ge=0.01, le=10.0)
    """Factor on the standard deviation; 5/3 is usual for Tanh."""

    def function(self) -> str:
        return f"xavier_{self.distribution}_"

    def arguments(self) -> dict[str, Any]:
        return {"gain": self.gain}


class HeInit(InitChoice):
    """Variance 2 / fan_in: keeps signals alive through ReLU."""

    kind: Literal["he"] = "he"
    label: ClassVar[str] = "He (Kaiming)"
    source: ClassVar[str] = 'He et al. 2015, "Delving deep into rectifiers", section 2.2'
    distribution: Literal["uniform", "normal"] = "normal"
    """Shape of the distribution."""

    def function(self) -> str:
        return f"kaiming_{self.distribution}_"

    def arguments(self) -> dict[str, Any]:
        return {"nonlinearity": "relu"}


class OrthogonalInit(InitChoice):
    """Rows that are orthogonal to each other: lengths are kept through a deep stack."""

    kind: Literal["orthogonal"] = "orthogonal"
    label: ClassVar[str] = "Orthogonal"
    source: ClassVar[str] = 'Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear networks"'
    gain: float = Field(1.0, ge=0.01, le=10.0)
    """Factor on all numbers."""

    def function(self) -> str:
        return "orthogonal_"


class ZerosInit(InitChoice):
    """All zeros: right for biases; weights that all start equal never learn to differ."""

    kind: Literal["zeros"] = "zeros"
    label: ClassVar[str] = "Zeros"

    def function(self) -> str:
        return "zeros_"


class ConstantInit(InitChoice):
    """One number everywhere."""

    kind: Literal["constant"] = "constant"
    label: ClassVar[str] = "Constant"
    val: float = Field(0.1, ge=-10.0, le=10.0, title="value")
    """The number."""

    def function(self) -> str:
        return "constant_"


AnyInit = Annotated[
    TorchDefault | HeInit | XavierInit | OrthogonalInit | NormalInit | UniformInit | ZerosInit | ConstantInit, on_menu()
]
"""For weights."""

AnyBiasInit = Annotated[TorchDefault | ZerosInit | ConstantInit | NormalInit | UniformInit, on_menu()]
"""For biases, which have no fan-in."""
