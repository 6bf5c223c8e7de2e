"""What a model costs: bytes of its file, numbers and zeros, multiply-adds, and the time of an answer."""

import io
import time
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.compression.choice import Progress
from core.compression.weighted import holders
from core.metrics.bootstrap import N_RESAMPLES, percentile_interval, resampled
from core.metrics.intervals import accuracy_interval
from core.metrics.regression import NAMES, NumberFigures
from core.models.model import ModelSpec
from core.models.stack import infer_stack
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCHES = (1, 64)
"""Examples that are answered at once."""
WARM, LEAST, MOST = 5, 9, 101
"""Answers before the clock runs, and answers that are timed, at least and at most. Slow models are warmed up once."""
TIMED_S = 1.5
"""Time for one batch size, of both models together; at least LEAST answers are timed all the same."""


def file_bytes(tensors: "dict[str, torch.Tensor]") -> bytes:
    """The safetensors file of these tensors."""
    from safetensors.torch import save

    return save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})


def zipped_bytes(data: bytes) -> int:
    """Bytes of a zip file with this file in it: long rows of zeros take nearly no room there."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.safetensors", data)
    return len(buffer.getvalue())


def counts(module: "nn.Module") -> tuple[int, int]:
    """Parameters of a float model, trained or not, and how many of them are not zero."""
    parameters = list(module.parameters())
    return sum(one.numel() for one in parameters), sum(int(one.count_nonzero()) for one in parameters)


def zero_shares(model: ModelSpec, module: "nn.Module") -> tuple[tuple[tuple[int, ...], int, int], ...]:
    """(path, weights, weights that are zero) of every layer that can be pruned; biases not counted."""
    return tuple(
        (path, owner.weight.numel(), owner.weight.numel() - int(owner.weight.count_nonzero()))
        for path, _, owner in holders(model, module)
    )


def multiply_adds(model: ModelSpec, module: "nn.Module", shape: Shape) -> tuple[int, int]:
    """Multiply-adds of one example forward, as they are computed; and those whose weight is not zero."""
    inference = infer_stack(model.layers, shape)
    zeros = {path: none / n for path, n, none in zero_shares(model, module)}
    saved = sum(round(inference.at(path).multiply_adds * share) for path, share in zeros.items())
    return inference.multiply_adds, inference.multiply_adds - saved


def latencies(modules: "Sequence[nn.Module]", x: np.ndarray, progress: Progress) -> tuple[np.ndarray, ...]:
    """Seconds of one answer, (models, repeats) float64 for each of BATCHES.

    On one thread, after some answers that are not counted. The models take turns, so that whatever else the machine does
    slows all of them; what is in the processor's cache is then the other's, as in a busy service.

    Args:
        x: inputs (N, *shape), taken again from the start where there are fewer than a batch.
    """
    import torch

    found = []
    with one_thread(), torch.inference_mode():
        for place, size in enumerate(BATCHES):
            batch = torch.from_numpy(np.ascontiguousarray(np.resize(x, (size, *x.shape[1:]))))
            repeats = _repeats(modules, batch)
            seconds = np.zeros((len(modules), repeats))
            for number in range(repeats):
                progress(place * repeats + number, len(BATCHES) * repeats)
                for row, module in enumerate(modules):
                    seconds[row, number] = _timed(module, batch)
            found.append(seconds)
    return tuple(found)


def _repeats(modules: "Sequence[nn.Module]", batch: "torch.Tensor") -> int:
    """How often to look, so that it takes about TIMED_S. Warms the models up."""
    spent = took = 0.0
    for _ in range(WARM):
        took = sum(_timed(module, batch) for module in modules)
        spent += took
        if spent > TIMED_S:
            break
    return int(np.clip(TIMED_S / max(1e-9, took), LEAST, MOST))


def _timed(module: "nn.Module", batch: Any) -> float:
    began = time.perf_counter()
    module(batch)
    return time.perf_counter() - began


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch in here; as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, slots=True)
class Score:
    """Accuracy in [0, 1], or R², with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def accuracy(n_right: int, n: int) -> Score:
    """Of `n_right` hits among `n` examples."""
    return Score(n_right / n, *accuracy_interval(n_right, n))


def r_squared(values: np.ndarray, targets: np.ndarray, seed: int = 0) -> Score:
    """R² of predictions (N,) with its bootstrap interval; NaN where all targets are equal."""
    figures = NumberFigures(targets, values)
    column = NAMES.index("r2")
    found = float(figures(np.ones((1, len(targets))))[0, column])
    low, high, _ = percentile_interval(resampled(figures, len(targets), N_RESAMPLES, seed=seed))
    return Score(found, float(low[column]), float(high[column]))
