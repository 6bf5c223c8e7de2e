"""The estimated time of an epoch against real ones: core.models.estimate against core.training.loop, on one thread.

Each stack is trained for a few epochs after a first one that warms up, and the median epoch, in process CPU time, is compared
with the estimate. A factor of 1.3 means 1.3 times too long or too short.

Last line: {"worst_factor": ..., "median_factor": ...}.
"""

import json
import os
import statistics
import time
from dataclasses import replace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

from core.data.dataset import DatasetChoice, Split, Splits
from core.data.menu import AnyDataset
from core.events import EpochDone
from core.experiment.experiment import Budget, Experiment, Lane
from core.models.estimate import epoch_seconds
from core.models.model import ModelSpec, infer
from core.models.presets import preset
from core.models.text import model_from_text
from core.optim.optimizers import Adam
from core.spec import choice_class
from core.training.loop import train

WIDE = "[Flatten, Linear: {out_features: 1024}, ReLU, Linear: {out_features: 1024}, ReLU, Linear: {out_features: 10}]"
DEEP = f"[Flatten, {'Linear: {out_features: 24}, ReLU, ' * 9} Linear: {{out_features: 10}}]"
STRIDED = """
- Conv2d: {out_channels: 24, padding: 1, stride: 2}
- BatchNorm2d
- SiLU
- Conv2d: {out_channels: 48, padding: 1, stride: 2}
- BatchNorm2d
- SiLU
- GlobalAvgPool
- Linear: {out_features: 10}
"""
READING = "[Embedding: {num_embeddings: 100}, GRU: {hidden_size: 64}, Linear: {out_features: 2}]"

CASES = (  # data, preset or stack, batch size, training examples
    ("spiral", "mlp-2d", 10, 250),
    ("breast_cancer", "mlp-tabular", 32, 398),
    ("rendered_digits", "logistic", 64, 3000),
    ("rendered_digits", "mlp-128-128", 64, 3000),
    ("rendered_digits", WIDE, 64, 640),
    ("rendered_digits", DEEP, 64, 3000),
    ("rendered_digits", "cnn-32-64", 64, 512),
    ("rendered_digits", "lenet-5", 128, 1024),
    ("rendered_digits", STRIDED, 32, 640),
    ("digits", "cnn-8x8", 64, 1000),
    ("evidence", "resnet-tiny", 64, 192),
    ("rendered_digits", "vit-tiny", 64, 256),
    ("sentiment", "lstm", 64, 1280),
    ("sentiment", "attention", 64, 1280),
    ("sentiment", READING, 32, 640),
)
EPOCHS = 5


def model_named(name: str, data: DatasetChoice) -> ModelSpec:
    """A preset made to measure, or the stack that a text describes."""
    profile = data.profile()
    is_stack = "Linear" in name
    return model_from_text(name) if is_stack else preset(name).model(profile.n_classes, profile.n_tokens)


def cut(splits: Splits, n_train: int) -> Splits:
    """The first training examples, and a fifth as many to validate on."""
    train_part, validation, test = (
        Split(split.x[:n], split.y[:n])
        for split, n in ((splits.train, n_train), (splits.validation, n_train // 5), (splits.test, 0))
    )
    return replace(splits, train=train_part, validation=validation, test=test, originals=None)


def measured_seconds(experiment: Experiment, splits: Splits) -> float:
    """The median epoch after the first, in process CPU time."""
    times, last = [], 0.0
    for item in train(experiment, splits=splits):
        if isinstance(item, EpochDone):
            now = time.process_time()
            times.append(now - last)
            last = now
    return statistics.median(times[1:])


def factor(case: tuple[str, str, int, int]) -> float:
    """How many times the estimate of one case is too long or too short."""
    kind, name, batch_size, n_train = case
    data: DatasetChoice = choice_class(AnyDataset, kind)()
    splits = cut(data.splits(0), n_train)
    experiment = Experiment(
        data=data,
        model=model_named(name, data),
        lanes=(Lane(optimizer=Adam()),),
        batch_size=batch_size,
        budget=Budget(epochs=EPOCHS + 1),
        device="cpu",
    )
    real = measured_seconds(experiment, splits)
    inference = infer(experiment.model, data.profile().input_shape)
    told = epoch_seconds(inference, len(splits.train), batch_size, len(splits.validation))
    print(f"{kind}, {name.strip()[:24]!r}, batch {batch_size}: {1e3 * real:.1f} ms, estimate {1e3 * told:.1f} ms", flush=True)
    return max(real / told, told / real)


def main() -> None:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    factors = [factor(case) for case in CASES]
    print(json.dumps({"worst_factor": round(max(factors), 2), "median_factor": round(statistics.median(factors), 2)}))


if __name__ == "__main__":
    main()
