"""Small nets and pictures that every explanation test can afford."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from core.data.dataset import DataProfile
from core.explanation.explainer import ExplainerChoice, Subject
from core.explanation.prepared import prepared_model

CLASSES = ("zero", "one", "two")
MakeSubject = Callable[..., Subject]
IMAGES = DataProfile("image", (1, 28, 28), ("a", "b", "c"), 10, 10, 10)
TABLE = DataProfile("tabular", (6,), ("a", "b", "c"), 10, 10, 10)
TEXTS = DataProfile("sequence", (8,), ("a", "b", "c"), 10, 10, 10, n_tokens=30)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)


def small_cnn(channels: int, side: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(6 * (side // 2) ** 2, len(CLASSES)),
    )


def small_mlp(n_features: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(n_features, 16), nn.Tanh(), nn.Linear(16, len(CLASSES)))


def blob(channels: int, side: int) -> np.ndarray:
    """(C, H, W) in [0, 1]: a soft bright spot left of the middle."""
    row, column = np.mgrid[:side, :side]
    spot = np.exp(-((row - side / 2) ** 2 + (column - side / 3) ** 2) / side)
    return np.stack([spot * (1 - 0.3 * c) for c in range(channels)]).astype(np.float32)


@pytest.fixture
def image_subject() -> MakeSubject:
    def make(module: nn.Module | None = None, channels: int = 1, side: int = 28, target: int = 1, seed: int = 3) -> Subject:
        x = blob(channels, side)
        pixels = (x * 255).astype(np.uint8)
        return Subject(
            module=prepared_model(module or small_cnn(channels, side)),
            x=torch.from_numpy(x)[None],
            background=torch.rand(20, channels, side, side, generator=torch.Generator().manual_seed(9)),
            target=target,
            class_names=CLASSES,
            feature_names=(),
            pixels=pixels[0] if channels == 1 else pixels.transpose(1, 2, 0),
            feature_values=None,
            step=40,
            seed=seed,
        )

    return make


@pytest.fixture
def row_subject() -> MakeSubject:
    def make(module: nn.Module | None = None, n_features: int = 6, target: int = 1, seed: int = 3) -> Subject:
        generator = torch.Generator().manual_seed(9)
        return Subject(
            module=prepared_model(module or small_mlp(n_features)),
            x=torch.randn(1, n_features, generator=generator),
            background=torch.randn(60, n_features, generator=generator),
            target=target,
            class_names=CLASSES,
            feature_names=tuple(f"f{i}" for i in range(n_features)),
            pixels=None,
            feature_values=np.arange(n_features, dtype=float),
            step=40,
            seed=seed,
        )

    return make


def small_reader(n_tokens: int, length: int) -> nn.Sequential:
    return nn.Sequential(nn.Embedding(n_tokens, 6), nn.Flatten(), nn.Linear(6 * length, len(CLASSES)))


@pytest.fixture
def text_subject() -> MakeSubject:
    def make(module: nn.Module | None = None, n_words: int = 6, target: int = 1, seed: int = 3) -> Subject:
        vocabulary = ("", "?", *(f"w{i}" for i in range(28)))
        row = torch.tensor([[0, 0, *range(3, 3 + n_words)]])
        return Subject(
            module=prepared_model(module or small_reader(len(vocabulary), n_words + 2)),
            x=row,
            background=torch.randint(1, 30, (20, n_words + 2), generator=torch.Generator().manual_seed(9)),
            target=target,
            class_names=CLASSES,
            feature_names=(),
            pixels=None,
            feature_values=None,
            step=40,
            seed=seed,
            tokens=tuple(vocabulary[number] for number in row[0]),
            vocabulary=vocabulary,
        )

    return make


@pytest.fixture
def subject_for(image_subject: MakeSubject, row_subject: MakeSubject, text_subject: MakeSubject) -> Callable[..., Subject]:
    """A subject that a method applies to: an image, else a table, else a text; in the words of the profiles below."""

    def make(explainer: ExplainerChoice, **settings: object) -> Subject:
        if explainer.reason_against(IMAGES, ("Conv2d", "Flatten", "Linear")) is None:
            return image_subject(**settings)
        if explainer.reason_against(TABLE, ("Linear",)) is None:
            return row_subject(**({"n_features": 15} | settings))
        return text_subject(**({"n_words": 14} | settings))

    return make
