"""Outputs as explainers need them: one per class, or a number in its own unit. The layers before them keep their names."""

import torch
from torch import nn

from core.models.output import output_form


class TwoLogits(nn.Module):
    """The logit z of class 1 (N, 1) as logits of both classes (N, 2): (0, z), whose softmax is the sigmoid of z."""

    def forward(self, logit: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(logit), logit], 1)


class OwnUnit(nn.Module):
    """A scaled prediction (N, 1) in the unit of its target."""

    def __init__(self, shift: float, scale: float) -> None:
        super().__init__()
        self.shift = shift
        self.scale = scale

    def forward(self, output: torch.Tensor) -> torch.Tensor:
        return output * self.scale + self.shift


def with_two_logits(module: nn.Sequential) -> nn.Sequential:
    """A stack with one output for two classes as one with a logit for each. A Sigmoid at its end is left out."""
    layers = list(module)[:-1] if output_form(module) == "sigmoid" else list(module)
    return nn.Sequential(*layers, TwoLogits())


def in_own_unit(module: nn.Sequential, shift: float, scale: float) -> nn.Sequential:
    """A regression stack that gives `output * scale + shift`."""
    return nn.Sequential(*module, OwnUnit(shift, scale))
