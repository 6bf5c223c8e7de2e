"""Attention: every step of a sequence looks at all steps and takes a weighted mean of them. (L, D) in, (L, D) out."""

from typing import ClassVar, Literal

from pydantic import Field

from core.models.layer import Call, WeightedLayer, Window
from core.models.layers.refusal import refusal
from core.models.layers.sequence import as_sequence
from core.types import Shape


class Attention(WeightedLayer):
    """What both share: features D that the heads share equally, and no mask (padding is looked at like any token)."""

    num_heads: int = Field(2, ge=1, le=32)
    """Heads that look at the sequence side by side, each with an equal share of the features."""
    dropout: float = Field(0.0, ge=0.0, le=0.95)
    """Chance of each attention weight to be dropped in training."""

    def out_shape(self, shape: Shape) -> Shape:
        length, features = as_sequence(self, shape)
        if features % self.num_heads:
            fits = [heads for heads in range(1, 33) if features % heads == 0]
            hint = f"Set num_heads to a divisor of {features:,}: {', '.join(map(str, fits))}."
            raise refusal(self, f"a number of features that {self.num_heads} heads can share equally", shape, hint)
        return (length, features)

    def n_parameters(self, shape: Shape) -> int:
        """Four D × D projections (queries, keys, values, output) with their biases."""
        _, features = shape
        return 4 * features * (features + 1)

    def multiply_adds(self, shape: Shape) -> int:
        """Four projections, then queries times keys and weights times values, L × L × D each."""
        length, features = shape
        return 4 * length * features**2 + 2 * length**2 * features

    def n_activations(self, shape: Shape) -> int:
        """Queries, keys, values, their mixture and its projection; with dropout also the L × L weights of each head.

        Without dropout torch's attention never forms the L × L weights; with it, it keeps them before and after, and the mask.
        """
        length, features = shape
        return 6 * length * features + (4 * self.num_heads * length**2 if self.dropout else 0)

    def window(self, shape: Shape) -> Window | None:
        return None


class SelfAttention(Attention):
    """Multi-head self-attention: softmax(Q Kᵀ / √d) V, where queries, keys and values are learned views of the sequence.

    Without skip and normalisation; put it into Residual for a skip, or use TransformerEncoder for the whole block.
    """

    kind: Literal["SelfAttention"] = "SelfAttention"
    label: ClassVar[str] = "Self-attention"
    source: ClassVar[str] = 'Vaswani et al. 2017, "Attention is all you need", section 3.2'

    def call(self, shape: Shape) -> Call:
        _, features = shape
        return Call("core.models.modules.attention:SelfAttention", (features, self.num_heads), {"dropout": self.dropout})


class TransformerEncoder(Attention):
    """One encoder block: self-attention, then two linear layers on each step, each with a skip and a normalisation."""

    kind: Literal["TransformerEncoder"] = "TransformerEncoder"
    label: ClassVar[str] = "Transformer encoder block"
    source: ClassVar[str] = 'Vaswani et al. 2017, "Attention is all you need", section 3.1'

    dim_feedforward: int = Field(64, ge=1, le=4096)
    """Hidden units of the two linear layers on each step; two to four times the features is usual."""
    dropout: float = Field(0.0, ge=0.0, le=0.95)
    """Chance of each attention weight, hidden unit and output of both parts to be dropped in training."""
    activation: Literal["relu", "gelu"] = "relu"
    """What bends between the two linear layers."""
    norm_first: bool = False
    """Normalise before each part and not after it: deep stacks then train without a warm-up of the learning rate."""

    def n_parameters(self, shape: Shape) -> int:
        """Attention, two linear layers with biases, two normalisations with scale and shift."""
        _, features = shape
        linear = 2 * features * self.dim_feedforward + self.dim_feedforward + features
        return super().n_parameters(shape) + linear + 4 * features

    def multiply_adds(self, shape: Shape) -> int:
        length, features = shape
        return super().multiply_adds(shape) + 2 * length * features * self.dim_feedforward

    def n_activations(self, shape: Shape) -> int:
        """As attention, then sums, normalisations, and the hidden units: GELU keeps them before and after the bend."""
        length, features = shape
        hidden = self.dim_feedforward * (2 if self.activation == "gelu" else 1)
        dropped = 2 * (self.dim_feedforward + features) if self.dropout else 0
        return super().n_activations(shape) + length * (4 * features + hidden + dropped)

    def call(self, shape: Shape) -> Call:
        _, features = shape
        return Call(
            "torch.nn:TransformerEncoderLayer",
            (features, self.num_heads),
            {
                "dim_feedforward": self.dim_feedforward,
                "dropout": self.dropout,
                "activation": self.activation,
                "batch_first": True,
                "norm_first": self.norm_first,
            },
        )
