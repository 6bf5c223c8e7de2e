"""Examples held on the device, and the seeded order in which batches take them."""

from collections.abc import Iterator

import numpy as np
import torch

from core.data.dataset import Split, Splits
from core.seeds import stream_seed


class ResidentData:
    """One split, whole, on the device: uint8 images stay uint8 and are scaled batch by batch (a quarter of the memory).

    Token numbers (int64) reach the model as they are.
    """

    def __init__(self, splits: Splits, split: Split, device: torch.device) -> None:
        self.x = torch.from_numpy(np.require(split.x, requirements=["C", "W"])).to(device)  # (N, *shape)
        self.y = torch.from_numpy(np.require(split.y, requirements=["C", "W"])).to(device)  # (N,)
        self.shift = torch.as_tensor(splits.shift, dtype=torch.float32, device=device)
        self.scale = torch.as_tensor(splits.scale, dtype=torch.float32, device=device)
        self.is_plain = not np.any(splits.shift) and bool(np.all(np.asarray(splits.scale) == 1))
        self.is_shifted = bool(np.any(splits.shift))

    def __len__(self) -> int:
        return len(self.y)

    def batch(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs as the model receives them, (B, *shape) float32 or int64 tokens, and targets (B,) int64 or float32."""
        x, y = self.raw_batch(indices)
        return self.scaled(x), y

    def raw_batch(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """As `batch`, with the inputs as they are kept: images (B, C, H, W) uint8."""
        return self.x.index_select(0, indices), self.y.index_select(0, indices)

    def chunks(self, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All examples in order, `size` at a time."""
        for start in range(0, len(self), size):
            yield self.scaled(self.x[start : start + size]), self.y[start : start + size]

    def scaled(self, x: torch.Tensor) -> torch.Tensor:
        """Inputs as they are kept, as the model receives them."""
        if x.dtype == torch.int64:
            return x
        is_own = x.dtype != torch.float32  # then the conversion makes a tensor that may be overwritten
        x = x.float()
        if self.is_plain:
            return x
        if self.is_shifted:
            return (x.sub_(self.shift) if is_own else x - self.shift).mul_(self.scale)
        return x.mul_(self.scale) if is_own else x * self.scale


def epoch_order(n_examples: int, seed: int, epoch: int, repeat: int = 0) -> torch.Tensor:
    """The order of the examples in one epoch (from 1), a permutation (N,) int64 on the CPU.

    A function of its arguments alone, so that a resumed run goes on with the very batches it would have had.
    """
    generator = torch.Generator().manual_seed(stream_seed(seed, "batches", repeat) ^ epoch)
    return torch.randperm(n_examples, generator=generator)
