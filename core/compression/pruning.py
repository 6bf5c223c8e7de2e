"""Pruning: weights, or whole units, are set to zero. Which ones is what the three methods differ in."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from core.compression.choice import Compressed, CompressionChoice, Epochs, Material, Plan, Sparsity, stored_state
from core.compression.further import train_further
from core.compression.removal import Cut, cut_spec, cut_state, cuts, n_kept
from core.compression.weighted import holder, holders, last_weighted, output_axis, untouched, weighted_layers
from core.data.dataset import DataProfile
from core.models.model import ModelSpec, build, layer_at
from core.models.placed import module_at
from core.models.stack import Path
from core.seeds import stream_seed
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

Scope = Literal["whole model", "each layer"]
OUTPUTS = "it gives the outputs, one unit for each"
NOTHING = "This stack has no layer whose weights can be pruned: it has no Linear and no convolution."
UNITS = "This stack has no hidden Linear or convolution whose units could go: what is left gives the outputs."


class Pruning(CompressionChoice):
    """What all prunings share: how much goes, and how long the rest may learn to do without."""

    sparsity: Sparsity = 0.5
    """Share that goes, in [0, 1)."""
    epochs: Epochs = Field(0, title="epochs afterwards")
    """Passes of further training afterwards; what was pruned stays zero."""


class SingleWeights(Pruning):
    """What both prunings of single weights share."""

    scope: Scope = "whole model"
    """Whether the weights compete across the whole model, or every layer gives up the same share."""

    def plan(self, model: ModelSpec, shape: Shape) -> Plan:
        treated = tuple(path for path, _ in weighted_layers(model))
        return Plan(model, treated, untouched(model, shape, treated))

    def reason_against(self, profile: DataProfile, model: ModelSpec) -> str | None:
        return None if weighted_layers(model) else NOTHING

    def compressed(self, material: Material) -> Compressed:
        owners = [owner for _, _, owner in holders(material.model, material.module)]
        self.mask(owners, material.seed)
        return finished(material.module, owners, material, self.epochs)

    def mask(self, owners: "list[nn.Module]", seed: int) -> None:
        """Put a mask on the weights of these modules, by torch.nn.utils.prune."""
        raise TypeError(f"{type(self).__name__} must mask")


class MagnitudePruning(SingleWeights):
    """Sets the smallest weights to zero: they change the outputs least, if inputs are about equally large."""

    kind: Literal["magnitude"] = "magnitude"
    label: ClassVar[str] = "Magnitude pruning"
    source: ClassVar[str] = 'Han et al. 2015, "Learning both weights and connections for efficient neural networks"'

    def mask(self, owners: "list[nn.Module]", seed: int) -> None:
        from torch.nn.utils import prune

        if self.scope == "whole model":
            pairs = [(owner, "weight") for owner in owners]
            prune.global_unstructured(pairs, pruning_method=prune.L1Unstructured, amount=self.sparsity)
            return
        for owner in owners:
            prune.l1_unstructured(owner, "weight", amount=self.sparsity)  # type: ignore[no-untyped-call]


class StructuredPruning(Pruning):
    """Takes out whole units and channels, those whose weights have the smallest norm: the stack really becomes smaller.

    The last layer is left alone. Where the next layer cannot do without them (in a skip connection, before LayerNorm), units
    are masked only.
    """

    kind: Literal["structured"] = "structured"
    label: ClassVar[str] = "Structured pruning"
    source: ClassVar[str] = 'Li et al. 2017, "Pruning filters for efficient ConvNets"'

    norm: Literal["l1", "l2"] = "l1"
    """What is small: the sum of a unit's absolute weights (l1), or the root of their sum of squares (l2)."""

    def plan(self, model: ModelSpec, shape: Shape) -> Plan:
        found = cuts(model, shape)
        masked = self._masked(model, found)
        treated = (*((cut.first,) for cut in found), *masked)
        last = last_weighted(model)
        left = dict(untouched(model, shape, treated)) | ({(last,): OUTPUTS} if last is not None else {})
        smaller = cut_spec(model, found, self.sparsity)
        removed = tuple((cut.first, n_kept(cut.n, self.sparsity), cut.n) for cut in found)
        return Plan(smaller if smaller == model else smaller.but(weights=""), treated, tuple(left.items()), removed)

    def reason_against(self, profile: DataProfile, model: ModelSpec) -> str | None:
        found = cuts(model, profile.input_shape)
        return None if found or self._masked(model, found) else UNITS

    @staticmethod
    def _masked(model: ModelSpec, found: tuple[Cut, ...]) -> tuple[Path, ...]:
        """Layers whose units can be masked, but not taken out."""
        others = {(cut.first,) for cut in found} | {(last_weighted(model),)}
        return tuple(path for path, _ in weighted_layers(model) if path not in others)

    def compressed(self, material: Material) -> Compressed:
        found = cuts(material.model, material.shape)
        plan = self.plan(material.model, material.shape)
        state = stored_state(material.module)
        for cut in found:
            cut_state(state, cut, self.kept(_weight_of(material.module, cut.first), 0))
        smaller = build(plan.model, material.shape, material.seed)
        smaller.load_state_dict(state)
        smaller.eval()
        owners = []
        for path in self._masked(plan.model, found):
            layer = layer_at(plan.model.layers, path)
            owner = holder(layer, module_at(smaller, path))
            self._mask(owner, output_axis(layer))
            owners.append(owner)
        return finished(smaller, owners, material, self.epochs)

    def kept(self, weight: "torch.Tensor", axis: int) -> "torch.Tensor":
        """The units along an axis of these weights that stay, in order."""
        order = self._norms(weight, axis).argsort(descending=True, stable=True)
        chosen: torch.Tensor = order[: n_kept(weight.shape[axis], self.sparsity)].sort().values
        return chosen

    def _norms(self, weight: "torch.Tensor", axis: int) -> "torch.Tensor":
        rows = weight.detach().transpose(0, axis).flatten(1)
        norms: torch.Tensor = rows.norm(p=int(self.norm[1]), dim=1)
        return norms

    def _mask(self, owner: Any, axis: int) -> None:
        import torch
        from torch.nn.utils import prune

        mask = torch.zeros_like(owner.weight.transpose(0, axis))
        mask[self.kept(owner.weight, axis)] = 1
        placed = mask.transpose(0, axis).contiguous()
        prune.custom_from_mask(owner, "weight", placed)  # type: ignore[no-untyped-call]


class RandomPruning(SingleWeights):
    """Sets weights to zero by lot: what any method of choosing has to beat."""

    kind: Literal["random"] = "random"
    label: ClassVar[str] = "Random pruning"
    source: ClassVar[str] = 'Blalock et al. 2020, "What is the state of neural network pruning?", section 7'

    draw: int = Field(0, ge=0, le=9_999)
    """Which lot: the seed of the draw."""

    def mask(self, owners: "list[nn.Module]", seed: int) -> None:
        import torch
        from torch.nn.utils import prune

        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(stream_seed(seed, "probe", self.draw))
            if self.scope == "whole model":
                pairs = [(owner, "weight") for owner in owners]
                prune.global_unstructured(pairs, pruning_method=prune.RandomUnstructured, amount=self.sparsity)
                return
            for owner in owners:
                prune.random_unstructured(owner, "weight", amount=self.sparsity)  # type: ignore[no-untyped-call]


def _weight_of(module: "nn.Sequential", place: int) -> "torch.Tensor":
    weight: torch.Tensor = module.state_dict()[f"{place}.weight"]
    return weight


def finished(module: "nn.Sequential", owners: "list[Any]", material: Material, n_epochs: int) -> Compressed:
    """Train a masked model further, then make its masks part of its weights."""
    from torch.nn.utils import prune

    losses = train_further(module, material, n_epochs, frozen=material.frozen) if n_epochs else ()
    for owner in owners:
        prune.remove(owner, "weight")  # type: ignore[no-untyped-call]
    return Compressed(module, module, stored_state(module), losses)
