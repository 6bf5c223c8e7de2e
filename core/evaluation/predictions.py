"""What a model says of a whole split: what every figure of the Evaluate screen is made of."""

from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import SplitName, split_named
from core.errors import NotApplicable
from core.models.output import class_log_probabilities, predicted_numbers
from core.results.predictions import Predictions
from core.types import Report

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH = 512


def no_report(done: int, total: int) -> None:
    """For callers that show no progress."""


def predictions(
    module: "nn.Module", splits: Splits, split: SplitName, step: int = 0, report: Report = no_report
) -> Predictions:
    """What `module`, in evaluation mode, says of all examples of a split. `report(done, total)` counts examples."""
    chosen, profile = split_named(splits, split), splits.profile
    found = outputs_of(module, splits.model_input(chosen.x), report)
    if profile.task == "regression":
        targets = chosen.y.astype(np.float64) * splits.target_scale + splits.target_shift
        values = predicted_numbers(found).numpy() * splits.target_scale + splits.target_shift
        labels = np.full(len(targets), -1)
        return Predictions(split, step, (), labels, values=values, targets=targets, target_name=profile.target_name)
    known = class_log_probabilities(module, found).numpy()
    return Predictions(split, step, profile.class_names, chosen.y.astype(np.int64), log_probabilities=known)


def outputs_of(module: "nn.Module", x: np.ndarray, report: Report = no_report) -> "torch.Tensor":
    """Outputs (N, K) float64 for inputs (N, *shape) as the model receives them, some at a time.

    Raises:
        NotApplicable: an output is infinite or not a number: whatever is counted of such answers would mislead.
    """
    import torch

    given = torch.from_numpy(x)
    parts, done = [], 0
    with torch.inference_mode():
        for part in torch.split(given, BATCH):
            report(done, len(given))
            parts.append(module(part).double())
            done += len(part)
    report(done, len(given))
    found = torch.cat(parts)
    refuse_unless_finite(bool(torch.isfinite(found).all()))
    return found


def refuse_unless_finite(is_finite: bool) -> None:
    """Says what it means that a model's answers are no numbers.

    Raises:
        NotApplicable: they are not.
    """
    if not is_finite:
        raise NotApplicable(
            "What this model says at this moment is not a number: its training has diverged.",
            hint="Look at an earlier moment or another lane, or train again with a smaller learning rate.",
        )
