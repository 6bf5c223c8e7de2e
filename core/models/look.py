"""What the rules of the linter look at: a stack with what is known of it, and what data and loss ask of it."""

from collections.abc import Iterator
from dataclasses import dataclass

from core.diagnostics import Diagnostic, Fix
from core.models.layer import LayerChoice
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.model import ModelSpec, all_layers, layer_name
from core.models.repair import Edit, fixed
from core.models.stack import Inference, LayerInfo, Path

CONNECTED = ("Linear", "Conv1d", "Conv2d", "ConvTranspose2d")
"""Kinds whose output is a weighted sum of their input and nothing else."""
NORMS = ("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm")


@dataclass(frozen=True, slots=True)
class Context:
    """What data and loss ask of a stack besides the number of outputs.

    `n_classes` is 0 for regression; `n_tokens` is 0 where inputs are not token numbers.
    """

    n_classes: int = 0
    n_tokens: int = 0
    loss: str = "cross_entropy"


@dataclass(frozen=True, slots=True)
class Look:
    """What every rule looks at."""

    model: ModelSpec
    inference: Inference
    n_outputs: int
    max_parameters: int
    context: Context

    @property
    def has_right_output(self) -> bool:
        return self.inference.out_shape == (self.n_outputs,)

    @property
    def tail(self) -> range:
        """Indices of the layers after the last one that learns: what happens to the logits."""
        learning = [i for i, info in enumerate(self.inference.layers) if self._connects(i, info)]
        return range(learning[-1] + 1 if learning else 0, len(self.model.layers))

    def _connects(self, index: int, info: LayerInfo) -> bool:
        layer = self.model.layers[index]
        if isinstance(layer, Linear | Conv2d) or layer.inner():
            return True
        return info.n_parameters > 0 and layer.kind not in (*NORMS, "PReLU")

    def walk(self) -> Iterator[tuple[Path, LayerChoice, LayerInfo]]:
        """Every layer with its path and what is known of it, also inside containers."""
        for path, layer in all_layers(self.model.layers):
            yield path, layer, self.inference.at(path)

    def rows(self) -> Iterator[tuple[Path, tuple[LayerChoice, ...]]]:
        """Every stack of layers in a row, with the path of what comes before its indices: () for the outermost."""
        yield (), self.model.layers
        for path, layer in all_layers(self.model.layers):
            for number, branch in enumerate(layer.inner()):
                yield (*path, number), branch

    def name(self, path: Path) -> str:
        """A layer as findings name it, numbered from 1."""
        return f"Layer {layer_name(self.model.layers, path)}"

    def fix(self, label: str, path: Path, edit: Edit) -> Fix | None:
        """A fix by one edit of the row in which the layer at `path` stands."""
        return fixed(label, self.model, path, edit)


def warning(code: str, path: Path, message: str, hint: str, fix: Fix | None = None) -> Diagnostic:
    """A finding about one layer that does not keep a run from starting."""
    return Diagnostic(code, "warning", ("layers", *path), message, hint=hint, fix=fix)
