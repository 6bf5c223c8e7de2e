"""Sequences of vectors (N, L, D) = (batch, length, features): windows along time, places, patches, one vector out of many."""

import math

import torch
from torch import nn


class AlongTime(nn.Module):
    """A layer of torch's for (N, C, L), applied to sequences (N, L, C): Conv1d, MaxPool1d."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layer(x.transpose(1, 2))  # (N, L, C) -> (N, C, L)
        return out.transpose(1, 2)


class PositionalEncoding(nn.Module):
    """Adds a vector for each place: fixed sines and cosines, or one that is learned (it starts as N(0, 0.02²)).

    Source:
        Vaswani et al. 2017, "Attention is all you need", section 3.5.
    """

    def __init__(self, length: int, features: int, encoding: str = "sinusoidal") -> None:
        super().__init__()
        if encoding == "learned":
            self.places = nn.Parameter(torch.empty(length, features))
            nn.init.normal_(self.places, std=0.02)
        else:
            self.register_buffer("places", sinusoids(length, features), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.places


def sinusoids(length: int, features: int) -> torch.Tensor:
    """(length, features): sin(t / 10000^(2i / features)) in the even columns 2i, the cosine of the same in the odd ones."""
    even = torch.arange(0, features, 2, dtype=torch.float32)
    angles = torch.arange(length, dtype=torch.float32)[:, None] * torch.exp(
        even * (-math.log(10000.0) / features)
    )
    pairs = torch.stack([angles.sin(), angles.cos()], dim=2)  # (length, ceil(features / 2), 2)
    return pairs.flatten(1)[:, :features].clone()


class PatchEmbed(nn.Module):
    """Maps (N, C, H, W) cut into square patches, row by row, each turned into a vector: (N, L, D); a class token first.

    The shared linear layer on the patches is a convolution that does not overlap. The class token starts as N(0, 0.02²).

    Source:
        Dosovitskiy et al. 2021, "An image is worth 16x16 words", section 3.1.
    """

    def __init__(
        self, channels: int, features: int, patch_size: int, class_token: bool = False
    ) -> None:
        super().__init__()
        self.projection = nn.Conv2d(channels, features, patch_size, stride=patch_size)
        self.class_token = nn.Parameter(torch.empty(1, 1, features)) if class_token else None
        if self.class_token is not None:
            nn.init.normal_(self.class_token, std=0.02)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches: torch.Tensor = (
            self.projection(x).flatten(2).transpose(1, 2)
        )  # (N, D, H', W') -> (N, L, D)
        if self.class_token is None:
            return patches
        return torch.cat([self.class_token.expand(x.shape[0], -1, -1), patches], dim=1)


class PoolTime(nn.Module):
    """(N, L, D) -> (N, D): the mean or the maximum over all steps, or the last or the first step."""

    def __init__(self, reduce: str = "mean") -> None:
        super().__init__()
        self.reduce = reduce

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.reduce == "mean":
            return x.mean(dim=1)
        if self.reduce == "max":
            return x.amax(dim=1)
        return x[:, -1 if self.reduce == "last" else 0]

    def extra_repr(self) -> str:
        return self.reduce
