"""A stack of which some layers are not trained."""

from collections.abc import Collection
from typing import Self

from torch import nn


class PartlyFrozen(nn.Sequential):
    """A stack whose frozen layers get no gradient and always act as in use, as a frozen Backbone does: the running statistics
    of their batch normalisations stay as they are and are what they normalise by, and their dropout drops nothing.

    A frozen batch normalisation that went on with the statistics of each batch would change what the frozen layer computes,
    which is why Keras (`trainable=False`) and torchvision (FrozenBatchNorm2d) keep them too. Dropout is there to keep weights
    from leaning on each other while they are trained: in a frozen layer there is nothing that it could help.
    """

    def __init__(self, *layers: nn.Module, frozen: Collection[int]) -> None:
        super().__init__(*layers)
        self.frozen = tuple(sorted(set(frozen)))
        for index in self.frozen:
            self[index].requires_grad_(requires_grad=False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for index in self.frozen:
            self[index].eval()
        return self


def with_frozen(model: nn.Sequential, frozen: Collection[int]) -> nn.Sequential:
    """The same layers, those of these indices frozen; the model itself where there are none."""
    return PartlyFrozen(*model.children(), frozen=frozen) if frozen else model
