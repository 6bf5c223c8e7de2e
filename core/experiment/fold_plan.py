"""What a cross-validation will do, known before anything is loaded: its experiment, its steps, what stands against it."""

import math

from core.experiment.experiment import Experiment
from core.models.estimate import epoch_seconds
from core.models.model import infer

FEWEST_FOLDS, MOST_FOLDS, USUAL_FOLDS = 2, 20, 5


def fold_experiment(experiment: Experiment) -> Experiment:
    """What every fold trains: all lanes, one seed, without changes by hand, and from fresh initial weights.

    The weights of a run that this one was forked from have learned from the very examples that are held out here; without them
    its frozen layers are not worth freezing.
    """
    frozen = () if experiment.origin else experiment.frozen
    return experiment.but(repeats=1, changes=(), origin=None, frozen=frozen)


def n_pooled(experiment: Experiment) -> int:
    """Examples that take part: those of training and validation split."""
    profile = experiment.data.profile()
    return profile.n_train + profile.n_validation


def reason_against(experiment: Experiment, k: int) -> str:
    """Why so many folds are impossible, as far as it is known before the classes are counted; empty where nothing is."""
    n, n_classes = n_pooled(experiment), experiment.data.profile().n_classes
    most = n // max(1, n_classes)
    if most >= k:
        return ""
    if n_classes:
        return (
            f"{n:,} examples of {n_classes:,} classes: some class has {most:,} or fewer, and every one of the {k} folds must "
            f"hold out at least one of each class."
        )
    return f"{n:,} examples cannot be divided into {k} folds."


def fold_steps(experiment: Experiment, n_train: int) -> int | None:
    """Optimizer steps of a fold with so many training examples; None where only seconds end it."""
    budget = experiment.budget
    per_epoch = math.ceil(n_train / experiment.batch(n_train)) if n_train else 0
    ends = [end for end in (budget.steps, budget.epochs and budget.epochs * per_epoch) if end]
    return min(ends) if ends else None


def expected_steps(experiment: Experiment, k: int) -> int | None:
    """Optimizer steps of all folds together, at most; None where only seconds end them."""
    n = n_pooled(experiment)
    steps = fold_steps(experiment, n - n // k)
    return None if steps is None else k * steps


def expected_seconds(experiment: Experiment, k: int, step_s: float | None = None) -> float:
    """About how long all folds take; 0 where it cannot be told.

    Args:
        step_s: seconds of a step of one lane, where a run of this experiment has shown it; else it is estimated.
    """
    n = n_pooled(experiment)
    n_train, n_held_out = n - n // k, n // k
    steps, limit = fold_steps(experiment, n_train), experiment.budget.seconds
    if steps is None:
        return k * (limit or 0.0)
    if step_s is None:
        batch = experiment.batch(n_train)
        epoch_s = epoch_seconds(infer(experiment.model, experiment.data.profile().input_shape), n_train, batch, n_held_out)
        step_s = epoch_s / math.ceil(n_train / batch)
    fold_s = steps * step_s * len(experiment.lanes)
    return k * min(fold_s, limit or fold_s)
