"""Numbers that are possible but seldom meant: learning rates, and models far larger than their data."""

from core.diagnostics import Diagnostic, Fix
from core.experiment.experiment import Experiment
from core.models.model import infer
from core.optim.optimizers import SGD

LARGE_LEARNING_RATE = 0.1
"""Above this, optimizers that divide by the gradient's size move every weight by more than typical weights are large."""
LARGE_SGD_RATE = 1.0
MANY_PARAMETERS = 100
"""So many parameters for each training example are worth a word."""


def rate_findings(experiment: Experiment) -> list[Diagnostic]:
    """Learning rates far above what is usual for their optimizer."""
    found = []
    for index, lane in enumerate(experiment.lanes):
        optimizer = lane.optimizer
        if optimizer.lr <= (LARGE_SGD_RATE if isinstance(optimizer, SGD) else LARGE_LEARNING_RATE):
            continue
        usual = type(optimizer)().lr
        found.append(
            Diagnostic(
                "large-learning-rate",
                "warning",
                ("lanes", index, "optimizer", "lr"),
                f"A learning rate of {optimizer.lr:g} is very large for {optimizer.label}; {usual:g} is usual.",
                hint="Expect the loss to jump or to become infinite.",
                params={"lr": optimizer.lr, "usual": usual},
                fix=Fix(f"Use {usual:g}", experiment.with_hyper(index, "lr", usual)),
            )
        )
    return found


def size_findings(experiment: Experiment) -> list[Diagnostic]:
    """Models that could learn their few examples by heart."""
    profile = experiment.data.profile()
    n_parameters = infer(experiment.model, profile.input_shape).n_parameters
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
