"""Figures of a model on data: evaluation of a split, the size of gradients, the decision surface."""

import time
from collections.abc import Generator

import numpy as np
import torch
from torch import nn

from core.events import Progressed
from core.models.output import class_probabilities
from core.training.batches import ResidentData

CHUNK = 512
"""Examples per forward pass of an evaluation."""
REPORT_S = 0.25
"""A long evaluation gives way to commands so often."""


def evaluation(
    models: list[nn.Module], loss: nn.Module, data: ResidentData
) -> Generator[Progressed, None, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Mean loss and accuracy of each model over all of `data`, in evaluation mode; yields progress when it takes long.

    Returns:
        (losses, accuracies), one entry per model; sums run in float64.
    """
    losses, hits = np.zeros(len(models)), np.zeros(len(models))
    was_training = [model.training for model in models]
    done, last = 0, time.perf_counter()
    for model in models:
        model.eval()
    for x, y in data.chunks(CHUNK):
        with torch.no_grad():
            for index, model in enumerate(models):
                logits = model(x)  # (B, K)
                losses[index] += loss(logits, y).item() * len(y)
                hits[index] += (logits.argmax(1) == y).sum().item()
        done += len(y)
        if time.perf_counter() - last > REPORT_S:
            yield Progressed(done, len(data))
            last = time.perf_counter()
    for model, mode in zip(models, was_training, strict=True):
        model.train(mode)
    return tuple((losses / len(data)).tolist()), tuple((hits / len(data)).tolist())


def plane_grid(side: int, span: float, device: torch.device) -> torch.Tensor:
    """Points of a square grid over the plane, (side * side, 2) as (x, y); rows from y = -span upwards."""
    axis = torch.linspace(-span, span, side, device=device)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)], 1)


def class_one_share(model: nn.Module, grid: torch.Tensor) -> bytes:
    """Probability of class 1 at each grid point, times 255, as bytes."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        share = class_probabilities(model, model(grid))[:, 1]
    model.train(was_training)
    values: np.ndarray = share.nan_to_num(0.5).mul(255).round().byte().cpu().numpy()
    return values.tobytes()
