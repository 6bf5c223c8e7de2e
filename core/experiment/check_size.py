"""Sizes that are possible but seldom meant: models far larger than their data."""

from core.diagnostics import Diagnostic
from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Experiment

MANY_PARAMETERS = 100
"""So many parameters for each training example are worth a word."""


def size_findings(experiment: Experiment) -> list[Diagnostic]:
    """Models that could learn their few examples by heart."""
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
