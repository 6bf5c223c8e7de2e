"""Layers that make a sequence of vectors (L, D): of token numbers, of image patches, and with places marked."""

from typing import ClassVar, Literal

from pydantic import Field
from pydantic.fields import FieldInfo

from core.models.layer import Call, LayerChoice, WeightedLayer, Window
from core.models.layers.refusal import as_map, refusal
from core.models.layers.sequence import as_sequence
from core.models.layers.window import sliding
from core.types import Shape

MAX_TOKENS = 50_000


class Embedding(WeightedLayer):
    """Looks up a learned vector for each token number: (L,) becomes (L, D).

    Number 0 is padding: its vector is zero, and is never trained.
    """

    kind: Literal["Embedding"] = "Embedding"
    label: ClassVar[str] = "Embedding"
    source: ClassVar[str] = 'Bengio et al. 2003, "A neural probabilistic language model"'

    num_embeddings: int = Field(128, ge=2, le=MAX_TOKENS)
    """Different tokens: the size of the data's vocabulary, with padding (0) and the unknown token (1)."""
    embedding_dim: int = Field(32, ge=1, le=1024)
    """Numbers in the vector of each token."""

    @classmethod
    def knobs(cls) -> dict[str, FieldInfo]:
        """It has no bias that could start in some way."""
        return {name: info for name, info in super().knobs().items() if name != "bias_init"}

    def out_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            hint = "Remove it: these are vectors already." if len(shape) == 2 else "Use PatchEmbed to make a sequence of maps."
            raise refusal(self, "a flat row of token numbers", shape, hint)
        return (shape[0], self.embedding_dim)

    def n_parameters(self, shape: Shape) -> int:
        return self.num_embeddings * self.embedding_dim

    def call(self, shape: Shape) -> Call:
        return Call("torch.nn:Embedding", (self.num_embeddings, self.embedding_dim), {"padding_idx": 0})


class PositionalEncoding(LayerChoice):
    """Adds to each vector a pattern that tells its place, which attention could not see otherwise: (L, D) stays (L, D)."""

    kind: Literal["PositionalEncoding"] = "PositionalEncoding"
    label: ClassVar[str] = "Positional encoding"
    source: ClassVar[str] = 'Vaswani et al. 2017, "Attention is all you need", section 3.5'

    encoding: Literal["sinusoidal", "learned"] = "sinusoidal"
    """sinusoidal: fixed sines and cosines of falling frequency. learned: one trained vector for each place."""

    def out_shape(self, shape: Shape) -> Shape:
        return as_sequence(self, shape)

    def n_parameters(self, shape: Shape) -> int:
        length, features = shape
        return length * features if self.encoding == "learned" else 0

    def call(self, shape: Shape) -> Call:
        length, features = shape
        return Call("core.models.modules.sequence:PositionalEncoding", (length, features, self.encoding))


class PatchEmbed(WeightedLayer):
    """Cuts maps into square patches and turns each into a vector by one shared linear layer: (C, H, W) becomes (L, D).

    Patches follow each other row by row. L is (H / patch_size) × (W / patch_size), and one more with the class token.
    """

    kind: Literal["PatchEmbed"] = "PatchEmbed"
    label: ClassVar[str] = "Patch embedding"
    source: ClassVar[str] = 'Dosovitskiy et al. 2021, "An image is worth 16x16 words", section 3.1'

    patch_size: int = Field(4, ge=1, le=32)
    """Side of a patch in pixels; must divide height and width."""
    embedding_dim: int = Field(64, ge=1, le=1024)
    """Numbers in the vector of each patch."""
    class_token: bool = False
    """Put one learned vector before the patches, which gathers what the classifier needs; read it with PoolTime "first"."""

    def out_shape(self, shape: Shape) -> Shape:
        _, height, width = as_map(self, shape)
        if height % self.patch_size or width % self.patch_size:
            fits = [size for size in range(1, 33) if height % size == 0 and width % size == 0]
            hint = f"Set patch_size to a divisor of both sides: {', '.join(map(str, fits))}."
            raise refusal(self, f"maps whose height and width are multiples of {self.patch_size}", shape, hint)
        return (self._n_patches(shape) + self.class_token, self.embedding_dim)

    def _n_patches(self, shape: Shape) -> int:
        return (shape[1] // self.patch_size) * (shape[2] // self.patch_size)

    def n_parameters(self, shape: Shape) -> int:
        return (shape[0] * self.patch_size**2 + 1 + self.class_token) * self.embedding_dim

    def multiply_adds(self, shape: Shape) -> int:
        return self._n_patches(shape) * shape[0] * self.patch_size**2 * self.embedding_dim

    def window(self, shape: Shape) -> Window:
        """A vector sees its own patch."""
        return sliding(self.patch_size, self.patch_size)

    def call(self, shape: Shape) -> Call:
        channels, _, _ = shape
        settings = {"class_token": self.class_token}
        return Call("core.models.modules.sequence:PatchEmbed", (channels, self.embedding_dim, self.patch_size), settings)
