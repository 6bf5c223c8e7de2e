"""Quantisation: weights and the inputs of each layer become int8, a quarter of the memory, with sums of integers."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from core.compression.choice import Compressed, CompressionChoice, Material, Plan, stored_state
from core.compression.weighted import untouched
from core.data.dataset import DataProfile
from core.models.model import ModelSpec, all_layers
from core.models.placed import inner_stacks, module_at
from core.models.stack import Path
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH = 128
SLOW = "This machine has no kernels for int8: the numbers are right, but the times say nothing of int8."

Spans = dict[Path, tuple[float, float]]


class Int8(CompressionChoice):
    """What both quantisations share."""

    kinds: ClassVar[tuple[str, ...]]
    """Layers that become int8."""
    source: ClassVar[str] = (
        'Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference"'
    )

    def plan(self, model: ModelSpec, shape: Shape) -> Plan:
        treated = tuple(path for path, layer in all_layers(model.layers) if layer.kind in self.kinds)
        return Plan(model, treated, untouched(model, shape, treated))

    def reason_against(self, profile: DataProfile, model: ModelSpec) -> str | None:
        if any(layer.kind in self.kinds for _, layer in all_layers(model.layers)):
            return None
        return f"This stack has no {' and no '.join(self.kinds)}, and other layers are not quantised here."

    def compressed(self, material: Material) -> Compressed:
        from core.compression.int8_layers import Int8Conv2d, Int8Layer, Int8Linear, has_kernels

        treated = self.plan(material.model, material.shape).treated
        spans = self.spans(material, treated)
        quantised, shown = copy.deepcopy(material.module), material.module
        for path in treated:
            layer: Any = module_at(shown, path)
            kind = Int8Conv2d if "Conv" in type(layer).__name__ else Int8Linear
            made: Int8Layer = kind(layer, spans.get(path))
            replace_module(quantised, path, made)
            layer.weight.data.copy_(made.dequantised())
        quantised.eval()
        notes = () if has_kernels() else (SLOW,)
        return Compressed(quantised, shown, stored_state(quantised), notes=notes)

    def spans(self, material: Material, treated: tuple[Path, ...]) -> Spans:
        """The smallest and largest input of each layer, where they are fixed beforehand."""
        return {}


class DynamicInt8(Int8):
    """Linear layers in int8; the range of their inputs is measured anew in every batch, so that no examples are needed."""

    kind: Literal["int8_dynamic"] = "int8_dynamic"
    label: ClassVar[str] = "int8, dynamic"
    kinds: ClassVar[tuple[str, ...]] = ("Linear",)


class StaticInt8(Int8):
    """Linear and Conv2d in int8; the range of their inputs is fixed by some training examples: fastest, but wrong beyond it."""

    kind: Literal["int8_static"] = "int8_static"
    label: ClassVar[str] = "int8, static"
    kinds: ClassVar[tuple[str, ...]] = ("Linear", "Conv2d")

    examples: int = Field(256, ge=1, le=10_000, title="calibration examples")
    """Training examples that fix the ranges."""

    def spans(self, material: Material, treated: tuple[Path, ...]) -> Spans:
        import torch

        found: Spans = {}
        hooks = [module_at(material.module, path).register_forward_pre_hook(_widening(found, path)) for path in treated]
        x = torch.from_numpy(material.splits.model_input(material.splits.train.x[: self.examples]))
        try:
            with torch.inference_mode():
                for number, part in enumerate(torch.split(x, BATCH)):
                    material.progress(number * BATCH, len(x))
                    material.module(part)
        finally:
            for hook in hooks:
                hook.remove()
        return found


def _widening(found: Spans, path: Path) -> "Callable[[nn.Module, tuple[torch.Tensor, ...]], None]":
    """A hook that makes the span of a layer's inputs wide enough for what it gets."""

    def look(_module: "nn.Module", inputs: "tuple[torch.Tensor, ...]") -> None:
        low, high = (float(end) for end in inputs[0].aminmax())
        before = found.get(path, (low, high))
        found[path] = (min(low, before[0]), max(high, before[1]))

    return look


def replace_module(stack: "nn.Sequential", path: Path, module: "nn.Module") -> None:
    """Put another module in the place of the layer at `path`."""
    row: Any = stack if len(path) == 1 else inner_stacks(module_at(stack, path[:-2]))[path[-2]]
    row[path[-1]] = module
