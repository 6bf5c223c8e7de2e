"""How a built stack gets its first weights: what the model or a layer asks for, and what a file holds."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from core.errors import SpecError
from core.models.init import AnyBiasInit, AnyInit
from core.models.layer import LayerChoice, WeightedLayer
from core.models.layers.backbone import Backbone
from core.types import shape_text

if TYPE_CHECKING:
    import torch
    from torch import nn


def initialise(layers: Sequence[LayerChoice], modules: Sequence["nn.Module"], init: AnyInit, bias_init: AnyBiasInit) -> None:
    """Start the weights of `modules` anew, in place and in order: each layer's own initialisation, or else the model's.

    Weights with two or more axes start by `init`, biases by `bias_init`. Left as they were built: normalisations, PReLU's
    slopes, a class token, the padding (row 0) of an Embedding, and layers that are no WeightedLayer. The projection of a
    Residual follows the model. A Backbone gets the weights of its file.

    Random numbers are torch's: seed them before. With torch's default nothing is drawn.

    Raises:
        MissingData: the file of a Backbone is not there.
        SpecError: it does not fit; the message names the first tensor.
    """
    for layer, module in zip(layers, modules, strict=True):
        if layer.inner():
            for branch, inner in zip(layer.inner(), _branches(module), strict=True):
                initialise(branch, list(inner.children()), init, bias_init)
            _start(getattr(module, "projection", None), init, bias_init)
        elif isinstance(layer, WeightedLayer):
            _start(module, layer.init or init, layer.bias_init or bias_init)
        elif isinstance(layer, Backbone) and layer.weights:
            load_backbone(module, layer.weights)


def _branches(container: "nn.Module") -> list["nn.Module"]:
    """The stacks in a container's module, in order."""
    from core.models.modules import branches

    return list(container.branches) if isinstance(container, branches.Parallel) else [container.get_submodule("inner")]


def _start(module: "nn.Module | None", init: AnyInit, bias_init: AnyBiasInit) -> None:
    from torch import nn

    if module is None:
        return
    for owner in _weighted(module):
        for name, tensor in owner.named_parameters(recurse=False):
            if "weight" in name and tensor.ndim >= 2:
                init.fill(tensor)
            elif "bias" in name:
                bias_init.fill(tensor)
        if isinstance(owner, nn.Embedding) and owner.padding_idx is not None:
            owner._fill_padding_idx_with_zero()


def _weighted(module: "nn.Module") -> Iterator["nn.Module"]:
    """The parts whose weights an initialisation is meant for."""
    from torch import nn
    from torch.nn.modules.batchnorm import _BatchNorm

    return (part for part in module.modules() if not isinstance(part, _BatchNorm | nn.LayerNorm | nn.GroupNorm))


def load_backbone(module: "nn.Module", digest: str) -> None:
    """Give a Backbone's module the weights of an imported file; the file's classifier is passed over.

    Nothing happens on the meta device, where there is no memory to fill.

    Raises:
        MissingData: the file is not there.
        SpecError: a tensor is missing, unknown or of another shape; the message names the first.
    """
    if any(tensor.is_meta for tensor in module.parameters()):
        return
    from core.models.modules.backbone import HEADS
    from core.models.weights import load_tensors

    body = module.get_submodule("body")
    heads = set(HEADS.values())
    given = {_today(name): tensor for name, tensor in load_tensors(digest).items() if name.split(".")[0] not in heads}
    _check_fit(body.state_dict(), given)
    body.load_state_dict(given)


OLD_NAMES = {".linear_1.": ".0.", ".linear_2.": ".3."}
"""Parts of names in the files of vit_b_16 that torchvision publishes, and what its module calls them."""


def _today(name: str) -> str:
    for old, new in OLD_NAMES.items():
        name = name.replace(old, new)
    return name


def _check_fit(wanted: dict[str, "torch.Tensor"], given: dict[str, "torch.Tensor"]) -> None:
    """Counters of batches, which old files have not, may be missing: torch then starts them at 0."""
    hint = "Import the weights of this very network, with the names that torchvision gives them."
    for name, tensor in wanted.items():
        if name not in given:
            if name.endswith("num_batches_tracked"):
                continue
            raise SpecError(f"The weights have no tensor {name!r}, which the backbone needs.", hint=hint, name=name)
        if given[name].shape != tensor.shape:
            has, needs = (shape_text(tuple(each.shape)) for each in (given[name], tensor))
            raise SpecError(f"The weights have {name!r} as {has}, but the backbone needs {needs}.", hint=hint, name=name)
    unknown = next((name for name in given if name not in wanted), None)
    if unknown is not None:
        raise SpecError(f"The weights have a tensor {unknown[:80]!r}, which the backbone has not.", hint=hint, name=unknown)
