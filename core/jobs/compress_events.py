"""What a compressed model would have told as the end of a training run: so it stands in the table of runs with its figures."""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from core.data.dataset import Split, Splits
from core.events import EpochDone, Finished, Progressed, Started
from core.experiment.experiment import Experiment
from core.models.model import infer
from core.seeds import numpy_stream

if TYPE_CHECKING:
    from torch import nn

    from core.training.measures import Figures

SAMPLE = 2_000
"""Training examples that stand for the training split, as in a training run."""


def as_training(
    experiment: Experiment, module: "nn.Sequential", splits: Splits, step: int, elapsed_s: float
) -> tuple[Started, EpochDone, Finished]:
    """The beginning, the one epoch and the end of a run that has come to this model at this step."""
    import torch

    from core.training.device import device_name, fingerprint

    profile, per_epoch = splits.profile, -(-len(splits.train) // experiment.batch(len(splits.train)))
    device = torch.device("cpu")
    begun = Started(
        step=step,
        n_parameters=infer(experiment.model, profile.input_shape).n_parameters,
        n_train=len(splits.train),
        n_validation=len(splits.validation),
        n_test=len(splits.test),
        steps_per_epoch=per_epoch,
        total_steps=step,
        device=device_name(device),
        series=experiment.series(),
        fingerprint=fingerprint(device, experiment.precision),
        lanes=experiment.lane_names(),
        repeats=1,
    )
    train, validation = (
        _figures(experiment, module, splits, part) for part in (_sample(splits, experiment), splits.validation)
    )
    epoch = EpochDone(step // per_epoch, step, *train, *validation, elapsed_s)
    test: Any = _figures(experiment, module, splits, splits.test) if len(splits.test) else (None, None)
    return begun, epoch, Finished("completed", step, elapsed_s, *test)


def _figures(experiment: Experiment, module: "nn.Sequential", splits: Splits, split: Split) -> "Figures":
    """Mean loss and score over a split, as training measures them."""
    import torch

    from core.training.batches import ResidentData
    from core.training.measures import chunk_size, evaluation

    data = ResidentData(splits, split, torch.device("cpu"))
    chunk = chunk_size(infer(experiment.model, splits.profile.input_shape))
    return _outcome(evaluation([module], experiment.loss.build(), data, chunk))


def _outcome(work: "Generator[Progressed, None, Figures]") -> "Figures":
    """What comes of it; the progress on the way is not told."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: Figures = end.value
            return found


def _sample(splits: Splits, experiment: Experiment) -> Split:
    """Some random training examples, in their order."""
    train = splits.train
    if len(train) <= SAMPLE:
        return train
    chosen = numpy_stream(experiment.seed, "probe").choice(len(train), SAMPLE, replace=False)
    chosen.sort()
    return Split(train.x[chosen], train.y[chosen])
