"""Recurrent layers that give one tensor, as all other layers do."""

import torch
from torch import nn


class Recurrent(nn.Module):
    """torch's RNN, LSTM or GRU (batch_first) without its tuple: (N, L, D) -> (N, L, H · dirs), or (N, H · dirs) for "last".

    "last" is where reading ended: the last step of the forward direction, joined with the first step of the backward one.
    """

    def __init__(self, recurrent: nn.RNNBase, returns: str = "last") -> None:
        super().__init__()
        self.recurrent = recurrent
        self.returns = returns

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.recurrent(x)[0]  # (N, L, H · dirs)
        if self.returns == "sequence":
            return outputs
        if not self.recurrent.bidirectional:
            return outputs[:, -1]
        size = self.recurrent.hidden_size
        return torch.cat([outputs[:, -1, :size], outputs[:, 0, size:]], dim=1)

    def extra_repr(self) -> str:
        return f"returns={self.returns}"
