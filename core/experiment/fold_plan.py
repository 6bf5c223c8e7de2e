"""What a cross-validation will do, known before anything is loaded: its experiment, its steps, what stands against it."""

import math

from core.experiment.experiment import Experiment

FEWEST_FOLDS, MOST_FOLDS, USUAL_FOLDS = 2, 20, 5


def fold_experiment(experiment: Experiment) -> Experiment:
    """What every fold trains: all lanes, one seed, without changes by hand, and from fresh initial weights.

    The weights of a run that this one was forked from have learned from the very examples that are held out here.
    """
    return experiment.but(repeats=1, changes=(), origin=None)


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
