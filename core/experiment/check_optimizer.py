"""Optimizers that do not go with the rest of the experiment: rates, steps of the whole split, matrices, parts of a step."""

import math
from collections.abc import Iterator

from core.diagnostics import Diagnostic, Fix
from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Experiment
from core.models.model import all_layers
from core.optim.optimizers import OptimizerChoice
from core.optim.optimizers_gradient import SGD, GradientDescent
from core.optim.optimizers_matrix import Muon
from core.optim.optimizers_moments import Adam, AdamW
from core.optim.schedules import Constant

LARGE_SPLIT = 20_000
"""From so many examples on, steps of the whole split are slow enough for a word."""
WITHOUT_MATRIX = ("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "PReLU", "Conv1d")
"""Layers with parameters that Muon leaves to AdamW."""


def lane_findings(experiment: Experiment) -> list[Diagnostic]:
    """What is odd about the optimizer of each lane."""
    found = []
    for index in range(len(experiment.lanes)):
        found += [*_rates(experiment, index), *_whole_split(experiment, index), *_matrices(experiment, index)]
    return found


def _rates(experiment: Experiment, index: int) -> Iterator[Diagnostic]:
    """Learning rates far above what is usual for their optimizer, and schedules that no step looks at."""
    lane = experiment.lanes[index]
    optimizer, where = lane.optimizer, ("lanes", index, "optimizer", "lr")
    if optimizer.lr > optimizer.large_lr:
        usual = type(optimizer)().lr
        yield Diagnostic(
            "large-learning-rate",
            "warning",
            where,
            f"A learning rate of {optimizer.lr:g} is very large for {optimizer.label}; {usual:g} is usual.",
            hint="Expect the loss to jump or to become infinite.",
            params={"lr": optimizer.lr, "usual": usual},
            fix=Fix(f"Use {usual:g}", experiment.with_hyper(index, "lr", usual)),
        )
    if optimizer.uses_lr_once and not isinstance(lane.schedule, Constant):
        yield Diagnostic(
            "schedule-without-effect",
            "warning",
            ("lanes", index, "schedule"),
            f"{optimizer.label} uses the learning rate in its first step alone: its schedule changes nothing after that.",
            hint="Leave the learning rate constant, or take another optimizer.",
            fix=Fix("Leave it constant", experiment.with_lane(index, lane.but(schedule=Constant()))),
        )
    if optimizer.uses_lr_once and experiment.batch_size != "full":
        yield Diagnostic(
            "signs-of-noise",
            "info",
            ("batch_size",),
            f"{optimizer.label} looks at the signs of the gradient, and the noise of small batches turns them at random.",
            hint="Use the whole split in each step.",
            fix=Fix("Use the full split", experiment.but(batch_size="full")),
        )


def _whole_split(experiment: Experiment, index: int) -> Iterator[Diagnostic]:
    """Full-batch lanes on data so large that each step takes as long as an epoch of the others."""
    lane, n_train = experiment.lanes[index], experiment.data.profile().n_train
    optimizer = lane.optimizer
    if not optimizer.needs_whole_split or n_train <= LARGE_SPLIT:
        return
    other: OptimizerChoice = Adam()
    if isinstance(optimizer, GradientDescent):
        other = SGD(lr=optimizer.lr, weight_decay=optimizer.weight_decay)
    passes = "several passes" if optimizer.needs_closure else "one pass"
    yield Diagnostic(
        "whole-split-steps",
        "warning",
        ("lanes", index, "optimizer"),
        f"Each step of {optimizer.label} makes {passes} over all {n_train:,} training examples, whatever the batch size.",
        hint="Take fewer examples, or an optimizer that learns from batches.",
        params={"n_train": n_train},
        fix=Fix(f"Use {other.label}", experiment.with_lane(index, lane.but(optimizer=other))),
    )


def _matrices(experiment: Experiment, index: int) -> Iterator[Diagnostic]:
    """Muon where it has nothing to do."""
    lane = experiment.lanes[index]
    optimizer = lane.optimizer
    if not isinstance(optimizer, Muon):
        return
    inference = trained_inference(experiment)
    leaves = [(path, layer) for path, layer in all_layers(experiment.model.layers) if not layer.inner()]
    if any(inference.at(path).n_parameters and layer.kind not in WITHOUT_MATRIX for path, layer in leaves):
        return
    other = AdamW(lr=optimizer.lr, beta1=optimizer.beta1, beta2=optimizer.beta2, weight_decay=optimizer.weight_decay)
    yield Diagnostic(
        "muon-without-matrix",
        "warning",
        ("lanes", index, "optimizer"),
        "Muon trains matrices, and this model has none: all its weights are trained by the AdamW beside it.",
        hint="Take AdamW, or put a Linear or Conv2d layer into the model.",
        fix=Fix("Use AdamW", experiment.with_lane(index, lane.but(optimizer=other))),
    )


def accumulation_findings(experiment: Experiment) -> list[Diagnostic]:
    """Steps in more parts than they have examples, and parts of one example before batch normalisation."""
    n_train, parts = experiment.data.profile().n_train, experiment.accumulation
    batch = experiment.batch(n_train)
    if parts > batch:
        return [
            Diagnostic(
                "more-parts-than-examples",
                "warning",
                ("accumulation",),
                f"Steps of {batch:,} examples cannot go through the model in {parts} parts: each example is a part of its own.",
                hint="Use fewer parts or a larger batch.",
                params={"batch_size": batch, "accumulation": parts},
                fix=Fix(f"Use {batch} parts", experiment.but(accumulation=batch)),
            )
        ]
    normalised = any(layer.kind.startswith("BatchNorm") for _, layer in all_layers(experiment.model.layers))
    if parts == 1 or not normalised or not _has_single(n_train, batch, parts):
        return []
    fewer = next((less for less in range(parts - 1, 1, -1) if not _has_single(n_train, batch, less)), 1)
    return [
        Diagnostic(
            "part-of-one",
            "error",
            ("accumulation",),
            f"{parts} parts of a step leave a part of one example, and batch normalisation needs at least two.",
            hint="Use fewer parts or a larger batch.",
            params={"batch_size": batch, "accumulation": parts},
            fix=Fix(f"Use {fewer} parts" if fewer > 1 else "Use whole batches", experiment.but(accumulation=fewer)),
        )
    ]


def _has_single(n_train: int, batch: int, parts: int) -> bool:
    """Whether a step of an epoch, in so many parts, has a part of one example."""
    sizes = {batch, n_train % batch} - {0}
    return any(size % math.ceil(size / parts) == 1 or math.ceil(size / parts) == 1 for size in sizes)
