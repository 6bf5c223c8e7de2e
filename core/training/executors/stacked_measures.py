"""Statistics of one step of many networks at once."""

import time
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.models.output import predicted_classes
from core.training.executors.executor import Measures
from core.training.executors.stacked_memory import StackedMemory
from core.training.measures import score, score_sum


class StackedMeasures:
    """Measures of the networks in `memory`: `begin` after the backward pass, `end` after the update."""

    def __init__(self, memory: StackedMemory) -> None:
        self._memory = memory

    def accuracies(self, model: nn.Module, output: Tensor, targets: Tensor) -> list[float]:
        """Accuracy in [0, 1] or R² of each network from outputs (S, B, K) and targets (1 or S, B, ...)."""
        s, b, k = output.shape
        if targets.ndim == 3:
            targets = targets.argmax(-1)
        if not targets.is_floating_point():
            classes = predicted_classes(model, output.reshape(s * b, k)).view(s, b)
            hits: list[float] = ((classes == targets).sum(1) / b).tolist()
            return hits
        own = targets.expand(s, b)
        return [score(score_sum(model, output[row], own[row]), own[row]) for row in range(s)]

    def begin(self, accuracies: list[float], cost_s: float) -> None:
        """Look at the gradients, and remember the weights."""
        start = time.perf_counter()
        self._accuracies = accuracies
        self._gradient_norms = _norms([g for _, g in self._memory.blocks])
        self._before = [p.clone() for p, _ in self._memory.blocks]
        self._cost_s = cost_s + time.perf_counter() - start

    def end(self) -> list[Measures]:
        """What the step was like, one for each row."""
        start = time.perf_counter()
        now = [p for p, _ in self._memory.blocks]
        update_norms = _norms([after.sub(before) for after, before in zip(now, self._before, strict=True)])
        columns = zip(self._gradient_norms, update_norms, _norms(now), self._accuracies, strict=True)
        each_s = (self._cost_s + time.perf_counter() - start) / len(self._accuracies)
        return [Measures(gradient, update, weight, accuracy, each_s) for gradient, update, weight, accuracy in columns]


def _norms(blocks: Sequence[Tensor]) -> list[float]:
    """L2 norm of each row over all blocks (S, P)."""
    parts = torch.stack([torch.linalg.vector_norm(block, dim=1) for block in blocks])
    norms: list[float] = torch.linalg.vector_norm(parts, dim=0).tolist()
    return norms
