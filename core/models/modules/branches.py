"""Stacks side by side: a skip connection, and branches that are joined or added."""

import torch
from torch import nn


class Residual(nn.Module):
    """The inner stack's output plus its input, which a projection fits to it where their shapes differ."""

    def __init__(self, inner: nn.Module, projection: nn.Module | None = None) -> None:
        super().__init__()
        self.inner = inner
        self.projection = projection if projection is not None else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip: torch.Tensor = self.projection(x)
        inner: torch.Tensor = self.inner(x)
        return inner + skip


class Parallel(nn.Module):
    """Every branch gets the same input; outputs are joined along `axis`, or added."""

    def __init__(self, *branches: nn.Module, merge: str = "concat", axis: int = 1) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.merge = merge
        self.axis = axis

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs = [branch(x) for branch in self.branches]
        return (
            torch.cat(outputs, self.axis) if self.merge == "concat" else torch.stack(outputs).sum(0)
        )
