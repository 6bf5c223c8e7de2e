"""Which layers of a model remember or attend, and what each of their steps is: a token, or a patch of an image. Torch-free."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.models.layer import LayerChoice
from core.models.layers.attention import Attention
from core.models.layers.backbone import VIT_BLOCKS, VIT_PATCH, VIT_SIDE, Backbone
from core.models.layers.embedding import PatchEmbed
from core.models.layers.recurrent import Recurrent
from core.models.model import ModelSpec, all_layers, infer, layer_name
from core.models.stack import Inference, Path
from core.types import Shape


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """Patches row by row, after `n_before` steps that are none (a class token)."""

    rows: int
    columns: int
    n_before: int

    @property
    def length(self) -> int:
        return self.n_before + self.rows * self.columns


@dataclass(frozen=True, slots=True)
class SequencePlace:
    """A layer over a sequence. `block` counts the blocks inside a backbone, from 0; `grid` is known where steps are patches."""

    path: Path
    name: str
    block: int = 0
    grid: PatchGrid | None = None

    @property
    def layer(self) -> int:
        """Index of the layer in the outermost stack."""
        return self.path[0]


def memory_places(model: ModelSpec, input_shape: Shape) -> tuple[SequencePlace, ...]:
    """The recurrent layers, in the order of the stack, also inside containers."""
    return tuple(
        SequencePlace(path, name, grid=grid)
        for path, layer, name, grid in _sequences(model, input_shape)
        if isinstance(layer, Recurrent)
    )


def attention_places(model: ModelSpec, input_shape: Shape) -> tuple[SequencePlace, ...]:
    """The layers that attend, in the order of the stack, also inside containers; of a ViT backbone each of its blocks."""
    found = []
    for path, layer, name, grid in _sequences(model, input_shape):
        if isinstance(layer, Attention):
            found.append(SequencePlace(path, name, grid=grid))
        elif isinstance(layer, Backbone) and layer.name == "vit_b_16":
            side = VIT_SIDE // VIT_PATCH
            vit = PatchGrid(side, side, 1)
            found += [SequencePlace(path, f"{name}, block {block + 1}", block, vit) for block in range(VIT_BLOCKS)]
    return tuple(found)


def _sequences(model: ModelSpec, input_shape: Shape) -> Iterator[tuple[Path, LayerChoice, str, PatchGrid | None]]:
    """Every layer with its name, and the grid of patches that it gets, where its steps are still those patches."""
    inference = infer(model, input_shape)
    grid: PatchGrid | None = None
    for path, layer in all_layers(model.layers):
        shape = _in_shape(inference, path)
        if shape is None:
            return
        fits = grid is not None and len(shape) == 2 and shape[0] == grid.length
        yield path, layer, layer_name(model.layers, path), grid if fits else None
        if isinstance(layer, PatchEmbed):
            _, height, width = shape
            grid = PatchGrid(height // layer.patch_size, width // layer.patch_size, int(layer.class_token))


def _in_shape(inference: Inference, path: Path) -> Shape | None:
    """What the layer at `path` receives; None where an earlier layer does not fit."""
    return None if inference.error_path is not None else inference.at(path).in_shape
