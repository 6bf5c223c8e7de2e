"""A stack that computes in 16 bits, float32 at both ends."""

import torch
from torch import nn


class HalfStack(nn.Sequential):
    """The same layers in another number format; token numbers stay what they are."""

    def __init__(self, stack: nn.Sequential, dtype: torch.dtype) -> None:
        super().__init__(*stack)
        self.dtype = dtype
        self.to(dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        given = x.to(self.dtype) if x.is_floating_point() else x
        out: torch.Tensor = super().forward(given)  # type: ignore[no-untyped-call]
        return out.float()
