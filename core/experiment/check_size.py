"""Sizes that are possible but seldom meant: models far larger than their data, and steps that take minutes."""

import math

from core.diagnostics import Diagnostic
from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Experiment
from core.models.estimate import epoch_seconds
from core.settings import Settings

MANY_PARAMETERS = 100
"""So many parameters for each training example are worth a word."""
GPU_FACTOR = 100
"""About so many times faster is a GPU than one thread of a processor, at its best."""


def size_findings(experiment: Experiment, settings: Settings) -> list[Diagnostic]:
    """Models that could learn their few examples by heart, and steps that nobody can wait for."""
    return [*_capacity_findings(experiment), *_step_findings(experiment, settings)]


def _step_findings(experiment: Experiment, settings: Settings) -> list[Diagnostic]:
    """One step that takes longer than half of what a silent worker is given: it would be taken for one that hangs."""
    n_train = max(1, experiment.data.profile().n_train)
    batch = experiment.batch(n_train)
    series = len(experiment.lanes) * experiment.repeats
    epoch_s = series * epoch_seconds(trained_inference(experiment), n_train, batch, 0)
    step_s, most = epoch_s / math.ceil(n_train / batch), settings.hang_s / 2
    may_be_fast = experiment.device in ("auto", "cuda", "mps")
    if step_s <= most or (experiment.device in ("cuda", "mps") and step_s <= GPU_FACTOR * most):
        return []
    return [
        Diagnostic(
            "slow-step",
            "warning" if may_be_fast and step_s <= GPU_FACTOR * most else "error",
            ("model",),
            f"One step takes about {step_s:,.0f} s on a processor; a worker silent for {settings.hang_s:g} s is stopped.",
            hint="Use a smaller batch, fewer channels, smaller filters, or a stride of 2 in the first layers.",
            params={"step_s": step_s, "hang_s": settings.hang_s},
        )
    ]


def _capacity_findings(experiment: Experiment) -> list[Diagnostic]:
    profile = experiment.data.profile()
    n_parameters = trained_inference(experiment).n_parameters
    if n_parameters <= MANY_PARAMETERS * profile.n_train:
        return []
    return [
        Diagnostic(
            "more-parameters-than-examples",
            "info",
            ("model",),
            f"{n_parameters:,} parameters for {profile.n_train:,} training examples: "
            f"{n_parameters / max(1, profile.n_train):,.0f} for each. Such a model can learn its examples by heart.",
            hint="Watch the validation loss, add dropout or weight decay, or take more examples.",
            params={"n_parameters": n_parameters, "n_train": profile.n_train},
        )
    ]
