"""Activations: the bend between two layers, without which a stack is one layer."""

from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, LayerChoice, Window
from core.models.layers.refusal import refusal
from core.types import Shape


class Activation(LayerChoice):
    """What all activations share: any shape goes in, the same shape comes out."""

    def out_shape(self, shape: Shape) -> Shape:
        return shape

    def call(self, shape: Shape) -> Call:
        return Call(f"torch.nn:{self.kind}")


class ReLU(Activation):
    """max(0, x): keeps what is positive."""

    kind: Literal["ReLU"] = "ReLU"
    label: ClassVar[str] = "ReLU"
    source: ClassVar[str] = 'Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines"'


class LeakyReLU(Activation):
    """x where positive, a small part of x where negative, so that no unit dies."""

    kind: Literal["LeakyReLU"] = "LeakyReLU"
    label: ClassVar[str] = "LeakyReLU"
    source: ClassVar[str] = 'Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models"'

    negative_slope: float = Field(0.01, ge=0.0, le=1.0)
    """Slope for negative inputs; 0 is ReLU, 1 is a straight line."""

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:LeakyReLU", (self.negative_slope,))


class PReLU(Activation):
    """x where positive, a learned part of x where negative: a LeakyReLU that finds its own slope."""

    kind: Literal["PReLU"] = "PReLU"
    label: ClassVar[str] = "PReLU"
    source: ClassVar[str] = 'He et al. 2015, "Delving deep into rectifiers", section 2.1'

    per_channel: bool = False
    """One slope for each channel or feature; otherwise one for the whole layer."""
    slope: float = Field(0.25, ge=0.0, le=1.0)
    """Slope for negative inputs at the start of training."""

    def out_shape(self, shape: Shape) -> Shape:
        if self.per_channel and len(shape) == 2:
            hint = "Switch per_channel off: torch would take the steps of a sequence for its channels."
            raise refusal(self, "maps or a flat vector for one slope per channel", shape, hint)
        return shape

    def n_parameters(self, shape: Shape) -> int:
        return shape[0] if self.per_channel else 1

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:PReLU", (self.n_parameters(shape),), {"init": self.slope})


class ELU(Activation):
    """x where positive, α(eˣ - 1) where negative: outputs whose mean is nearer to 0."""

    kind: Literal["ELU"] = "ELU"
    label: ClassVar[str] = "ELU"
    source: ClassVar[str] = 'Clevert et al. 2016, "Fast and accurate deep network learning by exponential linear units"'

    alpha: float = Field(1.0, ge=0.0, le=10.0)
    """How far it goes down for negative inputs."""

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:ELU", (self.alpha,))


class GELU(Activation):
    """x times the normal distribution's probability of being below x: a smooth ReLU."""

    kind: Literal["GELU"] = "GELU"
    label: ClassVar[str] = "GELU"
    source: ClassVar[str] = 'Hendrycks & Gimpel 2016, "Gaussian error linear units", section 2'

    approximate: Literal["none", "tanh"] = "none"
    """The exact formula, or the tanh formula that GPT-2 used."""

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:GELU", (), {"approximate": self.approximate})


class SiLU(Activation):
    """x · sigmoid(x): a smooth ReLU with a small dip below 0, also called Swish."""

    kind: Literal["SiLU"] = "SiLU"
    label: ClassVar[str] = "SiLU (Swish)"
    source: ClassVar[str] = 'Ramachandran et al. 2017, "Searching for activation functions"'


class Mish(Activation):
    """x · tanh(log(1 + eˣ)): a smooth ReLU with a small dip below 0."""

    kind: Literal["Mish"] = "Mish"
    label: ClassVar[str] = "Mish"
    source: ClassVar[str] = 'Misra 2020, "Mish: a self regularized non-monotonic activation function"'


class Tanh(Activation):
    """Squeezes into (-1, 1), with 0 in the middle."""

    kind: Literal["Tanh"] = "Tanh"
    label: ClassVar[str] = "Tanh"
    source: ClassVar[str] = 'LeCun et al. 1998, "Efficient BackProp", section 4.4'


class Sigmoid(Activation):
    """Squeezes into (0, 1); deep stacks of it learn slowly, as its slope is at most 1/4."""

    kind: Literal["Sigmoid"] = "Sigmoid"
    label: ClassVar[str] = "Sigmoid"
    source: ClassVar[str] = 'Rumelhart et al. 1986, "Learning representations by back-propagating errors"'


class OverClasses(Activation):
    """What both softmaxes share: they act on the classes of a vector, on the features of each step of a sequence, and on the
    channels of each pixel of maps."""

    source: ClassVar[str] = 'Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs"'

    def window(self, shape: Shape) -> Window | None:
        return None if len(shape) == 1 else Window()

    def call(self, shape: Shape) -> Call:
        return Call(f"torch.nn:{self.kind}", (), {"dim": -1 if len(shape) == 2 else 1})


class Softmax(OverClasses):
    """Positive numbers that sum to 1: over classes, over the features of each step, or over the channels of each pixel."""

    kind: Literal["Softmax"] = "Softmax"
    label: ClassVar[str] = "Softmax"


class LogSoftmax(OverClasses):
    """The logarithm of Softmax, computed so that it never overflows: what a negative log-likelihood loss takes."""

    kind: Literal["LogSoftmax"] = "LogSoftmax"
    label: ClassVar[str] = "LogSoftmax"
