"""Activations: the bend between two layers, without which a stack is one layer."""

from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, LayerChoice
from core.types import Shape


class Activation(LayerChoice):
    """What all activations share: any shape goes in, the same shape comes out, nothing is learned."""

    def out_shape(self, shape: Shape) -> Shape:
        return shape


class ReLU(Activation):
    """max(0, x): keeps what is positive."""

    kind: Literal["ReLU"] = "ReLU"
    label: ClassVar[str] = "ReLU"
    source: ClassVar[str] = 'Nair & Hinton 2010, "Rectified linear units improve restricted Boltzmann machines"'

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:ReLU")


class LeakyReLU(Activation):
    """x where positive, a small part of x where negative, so that no unit dies."""

    kind: Literal["LeakyReLU"] = "LeakyReLU"
    label: ClassVar[str] = "LeakyReLU"
    source: ClassVar[str] = 'Maas et al. 2013, "Rectifier nonlinearities improve neural network acoustic models"'

    negative_slope: float = Field(0.01, ge=0.0, le=1.0)
    """Slope for negative inputs; 0 is ReLU, 1 is a straight line."""

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:LeakyReLU", (self.negative_slope,))


class GELU(Activation):
    """x times the normal distribution's probability of being below x: a smooth ReLU."""

    kind: Literal["GELU"] = "GELU"
    label: ClassVar[str] = "GELU"
    source: ClassVar[str] = 'Hendrycks & Gimpel 2016, "Gaussian error linear units", section 2'

    approximate: Literal["none", "tanh"] = "none"
    """The exact formula, or the tanh formula that GPT-2 used."""

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:GELU", (), {"approximate": self.approximate})


class Tanh(Activation):
    """Squeezes into (-1, 1), with 0 in the middle."""

    kind: Literal["Tanh"] = "Tanh"
    label: ClassVar[str] = "Tanh"
    source: ClassVar[str] = 'LeCun et al. 1998, "Efficient BackProp", section 4.4'

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Tanh")


class Sigmoid(Activation):
    """Squeezes into (0, 1); deep stacks of it learn slowly, as its slope is at most 1/4."""

    kind: Literal["Sigmoid"] = "Sigmoid"
    label: ClassVar[str] = "Sigmoid"
    source: ClassVar[str] = 'Rumelhart et al. 1986, "Learning representations by back-propagating errors"'

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Sigmoid")


class Softmax(Activation):
    """Positive numbers that sum to 1, over the classes of a vector or over the channels of each pixel (axis 1 of the batch)."""

    kind: Literal["Softmax"] = "Softmax"
    label: ClassVar[str] = "Softmax"
    source: ClassVar[str] = 'Bridle 1990, "Probabilistic interpretation of feedforward classification network outputs"'

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Softmax", (), {"dim": 1})
