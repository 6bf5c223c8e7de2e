"""Small models to be compressed, untrained: what is tested holds for any weights."""

import numpy as np
import torch
from torch import nn

from core.compression.choice import Material
from core.data.dataset import DataProfile, Split, Splits
from core.models.model import ModelSpec, build
from core.optim.losses import CrossEntropy, LossChoice
from tests.core.samples import linear, optimizer_like, stack

MLP = stack(linear(12), "ReLU", linear(7), "Tanh", linear(3))
CNN = stack(
    ("Conv2d", {"out_channels": 6, "padding": 1}), "BatchNorm2d", "ReLU", ("MaxPool2d", {"kernel_size": 2}),
    ("Conv2d", {"out_channels": 5, "kernel_size": 2}), "PReLU", "Flatten", "BatchNorm1d", ("Dropout", {"p": 0.3}),
    linear(8), "GELU", linear(3),
)  # fmt: skip


def nothing(done: int, total: int) -> None:
    """Progress that nobody hears."""


def splits_of(x: np.ndarray, y: np.ndarray) -> Splits:
    """The same examples as train, validation and test."""
    is_regression = y.dtype.kind == "f"
    names = () if is_regression else ("a", "b", "c")
    profile = DataProfile(
        "points", x.shape[1:], names, len(y), len(y), len(y), task="regression" if is_regression else "classification"
    )
    split = Split(x, y)
    return Splits(profile, split, split, split, np.zeros(1, np.float32), np.ones(1, np.float32))


def material(
    model: ModelSpec, shape: tuple[int, ...], *, n: int = 40, loss: LossChoice | None = None, seed: int = 0
) -> Material:
    """A model with shaken statistics of its normalisations, and random examples of three classes."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, *shape)).astype(np.float32)
    splits = splits_of(x, random.integers(0, 3, n))
    module = build(model, shape, seed)
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var):
                tensor += torch.rand(tensor.shape, generator=generator)
    module.eval()
    return Material(model, module, splits, loss or CrossEntropy(), optimizer_like("adam", 0.01), 16, seed, nothing)


def answers(module: nn.Module, given: Material) -> torch.Tensor:
    with torch.inference_mode():
        return module(torch.from_numpy(given.splits.train.x))
