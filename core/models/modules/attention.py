"""Self-attention that can tell where it looked."""

import torch
from torch import nn


class SelfAttention(nn.Module):
    """Multi-head attention of a sequence to itself: (N, L, D) -> (N, L, D).

    With `keep_weights` set, `last_weights` (N, heads, L, L) holds where each step (row) looked in the last pass; the rows
    sum to 1 in evaluation mode. Without it, torch's faster path that never forms them is taken.

    Source:
        Vaswani et al. 2017, "Attention is all you need", section 3.2.
    """

    def __init__(self, features: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(
            features, num_heads, dropout=dropout, batch_first=True
        )
        self.keep_weights = False
        self.last_weights: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, weights = self.attention(
            x, x, x, need_weights=self.keep_weights, average_attn_weights=False
        )
        self.last_weights = weights.detach() if self.keep_weights else None
        result: torch.Tensor = output
        return result
