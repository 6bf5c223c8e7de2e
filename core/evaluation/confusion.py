"""The confusion matrix at several moments of a run."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import SplitName, split_named
from core.errors import NotApplicable
from core.evaluation.predictions import outputs_of, refuse_unless_finite
from core.models.output import class_log_probabilities
from core.results.confusion import ConfusionOverTime, confusion_counts

if TYPE_CHECKING:
    from torch import nn


def confusion_over_time(
    models: "Iterable[tuple[nn.Module, int]]", splits: Splits, split: SplitName, chosen: np.ndarray, n_kept: int
) -> ConfusionOverTime:
    """Counts at every moment, over the examples at the places `chosen` (n,) of the split.

    Args:
        models: the model in evaluation mode with the weights of a moment, and its step; one after the other.
        n_kept: moments that the run has kept.

    Raises:
        NotApplicable: the model's answers are numbers at no moment.
    """
    there = split_named(splits, split)
    x, labels = splits.model_input(there.x[chosen]), there.y[chosen].astype(np.int64)
    n_classes = splits.profile.n_classes
    steps, counts, n_diverged = [], [], 0
    for model, step in models:
        try:
            outputs = outputs_of(model, x)
        except NotApplicable:  # it has diverged by then
            n_diverged += 1
            continue
        predicted = class_log_probabilities(model, outputs).numpy().argmax(1)
        steps.append(step)
        counts.append(confusion_counts(labels, predicted, n_classes))
    refuse_unless_finite(bool(steps))
    return ConfusionOverTime(
        split=split,
        steps=np.array(steps, np.int64),
        counts=np.stack(counts),
        class_names=splits.profile.class_names,
        n_examples=len(chosen),
        n_in_split=len(there),
        n_kept=n_kept,
        n_diverged=n_diverged,
    )
