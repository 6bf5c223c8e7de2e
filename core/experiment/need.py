"""What a run will take: memory, arithmetic and time, told before it is queued. Torch-free."""

import math
from dataclasses import dataclass

from core.experiment.check import MB, checkpoint_bytes, n_series, training_bytes
from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Experiment
from core.models.estimate import FROZEN, TRAINED, epoch_seconds
from core.models.stack import Inference
from core.settings import Settings

GFLOP = 1e9
FLOP_PER_MULTIPLY_ADD = 2


@dataclass(frozen=True, slots=True)
class Need:
    """An estimate of what a run takes.

    `step_gflop` is the arithmetic of one step of all its series; `checkpoint_bytes` one checkpoint; `seconds` the whole run on
    a CPU thread that has a core to itself, and `n_steps` its steps: None where nobody can know. `limit_s` is the time after
    which it ends by itself. Runs with a target or patience may end earlier.
    """

    memory_bytes: int
    step_gflop: float
    checkpoint_bytes: int
    n_steps: int | None
    seconds: float | None
    limit_s: float | None = None

    def is_large(self, settings: Settings) -> bool:
        """Whether it takes a turn among the large runs."""
        return self.step_gflop > settings.small_run_gflop or self.memory_bytes > settings.small_run_mb * MB


def need_of(experiment: Experiment) -> Need:
    """The estimate for a run of an experiment that can run."""
    profile, budget = experiment.data.profile(), experiment.budget
    inference = trained_inference(experiment)
    n_train = max(1, profile.n_train)
    batch = experiment.batch(n_train)
    per_epoch = math.ceil(n_train / max(1, batch))
    limits = [budget.epochs * per_epoch if budget.epochs else None, budget.steps]
    n_steps = min((limit for limit in limits if limit is not None), default=None)
    step_s = n_series(experiment) * epoch_seconds(inference, n_train, batch, profile.n_validation) / per_epoch
    seconds = n_steps * step_s if n_steps is not None and step_s > 0 else None
    if budget.seconds is not None:
        seconds = budget.seconds if seconds is None else min(seconds, budget.seconds)
    gflop = _step_gflop(experiment, inference)
    return Need(training_bytes(experiment), gflop, checkpoint_bytes(experiment), n_steps, seconds, budget.seconds)


def _step_gflop(experiment: Experiment, inference: Inference) -> float:
    """Forward and backward of the examples of one step, in every lane and repeat."""
    n_train = experiment.data.profile().n_train
    examples = sum(n_train if lane.optimizer.needs_whole_split else experiment.batch(n_train) for lane in experiment.lanes)
    passes = sum(
        (TRAINED if info.n_parameters or not info.n_frozen else FROZEN) * info.multiply_adds for info in inference.layers
    )
    return FLOP_PER_MULTIPLY_ADD * passes * examples * experiment.repeats / GFLOP
