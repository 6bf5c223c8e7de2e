"""Figures of a model on data: mean loss, and accuracy or R²."""

import math
import time
from collections.abc import Generator

import numpy as np
import torch
from torch import nn

from core.events import Progressed
from core.models.cost import activation_bytes
from core.models.output import predicted_classes, predicted_numbers
from core.models.stack import Inference
from core.training.batches import ResidentData
from core.training.many import ManyNetworks

CHUNK = 512
"""Examples per forward pass of an evaluation, at most."""
CPU_BYTES, GPU_BYTES = 24 * 2**20, 512 * 2**20
"""What the activations of one such pass may take. The pass itself takes up to 2.5 times as much: what the estimate of a run's
memory has to spare (64 MB, docs/decisions/004)."""
REPORT_S = 0.25
"""A long evaluation gives way to commands so often."""

Figures = tuple[tuple[float, ...], tuple[float, ...]]
"""(losses, scores), one entry per model. A score is the accuracy in [0, 1], or R² for regression."""


def chunk_size(inference: Inference, device_type: str = "cpu") -> int:
    """Examples that a model with these shapes can take at once without backward pass, from 1 to 512."""
    allowed = CPU_BYTES if device_type == "cpu" else GPU_BYTES
    return max(1, min(CHUNK, allowed // activation_bytes(inference)))


def evaluation(
    models: list[nn.Module], loss: nn.Module, data: ResidentData, chunk: int = CHUNK, *, together: ManyNetworks | None = None
) -> Generator[Progressed, None, Figures]:
    """Mean loss and score of each model over all of `data`, in evaluation mode; yields progress when it takes long.

    Sums run in float64; `chunk` examples go through a model at once. With `together` they go through all models at once.
    """
    if together is not None:
        return (yield from _together(together, loss, data, chunk))
    losses, hits = np.zeros(len(models)), np.zeros(len(models))
    was_training = [model.training for model in models]
    done, last = 0, time.perf_counter()
    for model in models:
        model.eval()
    for x, y in data.chunks(chunk):
        with torch.no_grad():
            for index, model in enumerate(models):
                output = model(x)  # (B, K)
                losses[index] += loss(output, y).item() * len(y)
                hits[index] += score_sum(model, output, y)
        done += len(y)
        if time.perf_counter() - last > REPORT_S:
            yield Progressed(done, len(data))
            last = time.perf_counter()
    for model, mode in zip(models, was_training, strict=True):
        model.train(mode)
    return tuple((losses / len(data)).tolist()), tuple(score(float(total), data.y) for total in hits)


def _together(many: ManyNetworks, loss: nn.Module, data: ResidentData, chunk: int) -> Generator[Progressed, None, Figures]:
    losses, hits = (torch.zeros(many.n, dtype=torch.float64) for _ in range(2))
    done, last = 0, time.perf_counter()
    for x, y in data.chunks(chunk):
        with torch.no_grad():
            outputs = many.outputs(x)
            losses += many.losses(loss, outputs, y).cpu().double() * len(y)
            hits += many.score_sums(outputs, y).cpu()
        done += len(y)
        if time.perf_counter() - last > REPORT_S:
            yield Progressed(done, len(data))
            last = time.perf_counter()
    return tuple((losses / len(data)).tolist()), tuple(score(total, data.y) for total in hits.tolist())


def score_sum(model: nn.Module, output: torch.Tensor, targets: torch.Tensor) -> float:
    """How many of these outputs are right; for regression the sum of their squared errors, in float64.

    Targets that are shares of classes (after MixUp) count as the class with the largest share.
    """
    if targets.ndim == 2:
        targets = targets.argmax(1)
    if targets.is_floating_point():
        errors = (predicted_numbers(output) - targets).cpu().double()
        return errors.square().sum().item()
    return float((predicted_classes(model, output) == targets).sum().item())


def score(total: float, targets: torch.Tensor) -> float:
    """The accuracy in [0, 1] from the sum of `score_sum` over these targets; for regression R².

    R², the coefficient of determination, is 1 - (squared errors) / (squared distances from the mean of the targets): 1 is
    perfect, 0 as good as always saying the mean, and there is no lower end. NaN where all targets are equal.
    """
    if targets.ndim == 2 or not targets.is_floating_point():
        return total / len(targets)
    exact = targets.cpu().double()
    if bool((exact == exact[0]).all()):
        return math.nan
    return 1 - total / (exact - exact.mean()).square().sum().item()
