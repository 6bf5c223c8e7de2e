"""What is known of a stack of which some layers are not trained, without torch."""

from collections.abc import Collection
from dataclasses import replace

from core.models.stack import Inference, LayerInfo


def with_frozen(inference: Inference, frozen: Collection[int]) -> Inference:
    """The same, the parameters of the layers at these indices counted as frozen."""
    if not frozen:
        return inference
    layers = tuple(_frozen(info) if index in frozen else info for index, info in enumerate(inference.layers))
    return replace(
        inference,
        layers=layers,
        n_parameters=sum(info.n_parameters for info in layers),
        n_frozen=sum(info.n_frozen for info in layers),
    )


def _frozen(info: LayerInfo) -> LayerInfo:
    """A layer with all that it holds."""
    branches = tuple(with_frozen(branch, range(len(branch.layers))) for branch in info.branches)
    return replace(info, n_parameters=0, n_frozen=info.n_frozen + info.n_parameters, branches=branches)
