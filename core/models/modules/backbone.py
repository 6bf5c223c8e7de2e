"""A network of torchvision without its classifier: image in, feature vector out."""

import torch
from torch import nn
from torchvision import models

HEADS = {"resnet18": "fc", "mobilenet_v3_small": "classifier", "vit_b_16": "heads"}
"""The classifier of each network, by name: the part that is left out."""


class Backbone(nn.Module):
    """(N, 3, H, W) -> (N, features); grey images (N, 1, H, W) are repeated for the three colours.

    Built with random weights, never downloaded. Frozen, its weights get no gradient, and it always acts as in use: the running
    means of its batch normalisations stay as they are, and nothing is dropped.
    """

    def __init__(self, name: str, frozen: bool = True) -> None:
        super().__init__()
        self.frozen = frozen
        self.body = models.get_model(name, weights=None)
        setattr(self.body, HEADS[name], nn.Identity())
        if frozen:
            self.requires_grad_(False)
            self.eval()

    def train(self, mode: bool = True) -> "Backbone":
        super().train(mode and not self.frozen)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.body(x.expand(-1, 3, -1, -1))
        return features
