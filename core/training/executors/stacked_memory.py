"""Weights of many equal models in a few tensors, one row per model; the models' parameters are views of them."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from core.optim.rules_group import Block, Place


class StackedMemory:
    """Parameters that are trained as `weights`, one tensor (S, *shape) for each, over blocks of rows.

    With one block, all numbers of a model lie in one row: few operations update all, for nets so small that each operation
    costs more than its arithmetic. With a block for each parameter, every matrix product writes its gradient in place.
    """

    def __init__(self, models: Sequence[nn.Module], *, is_one_block: bool) -> None:
        self.is_one_block = is_one_block
        own = [[one for one in model.parameters() if one.requires_grad] for model in models]
        shapes = [parameter.shape for parameter in own[0]]
        sizes = [shape.numel() for shape in shapes]
        like = own[0][0].detach()
        if is_one_block:
            starts = [0, *accumulate(sizes)]
            self.places = [Place(0, start, shape) for start, shape in zip(starts, shapes, strict=False)]
            widths = [sum(sizes)]
        else:
            self.places = [Place(index, 0, shape) for index, shape in enumerate(shapes)]
            widths = sizes
        self.blocks: list[Block] = [(like.new_empty(len(models), w), like.new_zeros(len(models), w)) for w in widths]
        self.weights = [self._stacked(place, 0) for place in self.places]
        self.gradients = [self._stacked(place, 1) for place in self.places]
        for row, parameters in enumerate(own):
            for parameter, weight, gradient in zip(parameters, self.weights, self.gradients, strict=True):
                weight[row].copy_(parameter.detach())
                parameter.data = weight[row]
                parameter.grad = gradient[row]

    def _stacked(self, place: Place, part: int) -> Tensor:
        block = self.blocks[place.block][part]
        return block[:, place.start : place.start + place.shape.numel()].view(len(block), *place.shape)

    def buffers(self, models: Sequence[nn.Module], name: str) -> Tensor:
        """One buffer of all models as a tensor (S, *shape), of which theirs become views."""
        stack = torch.stack([model.get_buffer(name) for model in models])
        for model, row in zip(models, stack, strict=True):
            owner, _, own_name = name.rpartition(".")
            setattr(model.get_submodule(owner), own_name, row)
        return stack
