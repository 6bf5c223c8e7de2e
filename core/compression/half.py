"""Half precision: every number in 16 bits."""

import copy
from typing import ClassVar, Literal

from core.compression.choice import Compressed, CompressionChoice, Material, Plan, stored_state
from core.models.model import ModelSpec, all_layers
from core.models.stack import infer_stack
from core.types import Shape


class HalfPrecision(CompressionChoice):
    """Weights and sums in 16 bits in place of 32: half the memory. Many processors have no fast form of it, and are slower."""

    kind: Literal["half"] = "half"
    label: ClassVar[str] = "Half precision"
    source: ClassVar[str] = 'Micikevicius et al. 2018, "Mixed precision training"; Kalamkar et al. 2019 for bfloat16'

    format: Literal["float16", "bfloat16", "float32"] = "bfloat16"
    """bfloat16 has the range of float32 and 3 digits; float16 has 4 digits and ends at 65,504. float32 changes nothing."""

    def plan(self, model: ModelSpec, shape: Shape) -> Plan:
        inference = infer_stack(model.layers, shape)
        infos = ((path, inference.at(path)) for path, layer in all_layers(model.layers) if not layer.inner())
        return Plan(model, tuple(path for path, info in infos if info.n_parameters + info.n_frozen))

    def compressed(self, material: Material) -> Compressed:
        import torch

        from core.compression.half_stack import HalfStack

        half = HalfStack(copy.deepcopy(material.module), getattr(torch, self.format))
        half.eval()
        shown = material.module
        shown.load_state_dict(half.state_dict())  # copied back into float32, which holds every 16-bit number exactly
        return Compressed(half, shown, stored_state(half))
