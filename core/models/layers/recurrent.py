"""Recurrent layers: one step after another, with a memory of the steps before. (L, D) in; the sequence or its end out."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, WeightedLayer, Window
from core.models.layers.sequence import as_sequence
from core.types import Shape


class Recurrent(WeightedLayer):
    """What the three share. `H` below is hidden_size, and `dirs` 1, or 2 where the layer reads in both directions."""

    gates: ClassVar[int]
    """Matrix products with (D + H) × H weights in each step."""
    kept: ClassVar[int]
    """Numbers per step and hidden unit that torch holds for the backward pass on a CPU (LSTM: oneDNN's workspace)."""

    hidden_size: int = Field(32, ge=1, le=1024)
    """Numbers in the memory, and in each output."""
    num_layers: int = Field(1, ge=1, le=4)
    """Layers on top of each other; each reads the sequence that the one below gives."""
    bidirectional: bool = False
    """Read a second time from the end to the start, with other weights, and join both: twice as many outputs."""
    dropout: float = Field(0.0, ge=0.0, le=0.95)
    """Chance of each value between two of the stacked layers to be dropped in training; a single layer has none."""
    returns: Literal["last", "sequence"] = "last"
    """last: one vector, where reading ended (in both directions, joined). sequence: the output of every step."""

    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def out_shape(self, shape: Shape) -> Shape:
        length, _ = as_sequence(self, shape)
        features = self.hidden_size * self._directions()
        return (features,) if self.returns == "last" else (length, features)

    def _widths(self, shape: Shape) -> tuple[int, ...]:
        """Features that each of the stacked layers reads."""
        return (shape[1], *(self.hidden_size * self._directions(),) * (self.num_layers - 1))

    def n_parameters(self, shape: Shape) -> int:
        """Per gate: weights for the input and for the memory, and torch's two biases."""
        rows = self.gates * self.hidden_size * self._directions()
        return sum(rows * (width + self.hidden_size + 2) for width in self._widths(shape))

    def multiply_adds(self, shape: Shape) -> int:
        """Per step: gates × (D + H) × H, for each layer and direction."""
        rows = self.gates * self.hidden_size * self._directions()
        return shape[0] * sum(rows * (width + self.hidden_size) for width in self._widths(shape))

    def n_activations(self, shape: Shape) -> int:
        return shape[0] * self.kept * self.hidden_size * self._directions() * self.num_layers

    def window(self, shape: Shape) -> Window | None:
        """The end of the sequence has seen all of it."""
        return None

    def settings(self) -> dict[str, Any]:
        """Keyword arguments of torch's class. torch warns of dropout in a single layer, where it has no effect."""
        return {
            "num_layers": self.num_layers,
            "batch_first": True,
            "dropout": self.dropout if self.num_layers > 1 else 0.0,
            "bidirectional": self.bidirectional,
        }

    def call(self, shape: Shape) -> Call:
        _, features = shape
        recurrent = Call(f"torch.nn:{self.kind}", (features, self.hidden_size), self.settings())
        return Call("core.models.modules.recurrent:Recurrent", (recurrent,), {"returns": self.returns})


class RNN(Recurrent):
    """The plain recurrent net: memory = tanh(W · input + U · memory + b); forgets what lies far back."""

    kind: Literal["RNN"] = "RNN"
    label: ClassVar[str] = "RNN"
    source: ClassVar[str] = 'Elman 1990, "Finding structure in time"'
    gates: ClassVar[int] = 1
    kept: ClassVar[int] = 2

    nonlinearity: Literal["tanh", "relu"] = "tanh"
    """What bends the new memory; with relu it can grow without bound."""

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "nonlinearity": self.nonlinearity}


class LSTM(Recurrent):
    """A recurrent net with a second memory that gates open and close, so that it can keep things for many steps."""

    kind: Literal["LSTM"] = "LSTM"
    label: ClassVar[str] = "LSTM"
    source: ClassVar[str] = 'Hochreiter & Schmidhuber 1997, "Long short-term memory"'
    gates: ClassVar[int] = 4
    kept: ClassVar[int] = 20


class GRU(Recurrent):
    """A recurrent net with two gates and one memory: three quarters of the LSTM's weights, often as good."""

    kind: Literal["GRU"] = "GRU"
    label: ClassVar[str] = "GRU"
    source: ClassVar[str] = 'Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder"'
    gates: ClassVar[int] = 3
    kept: ClassVar[int] = 8
