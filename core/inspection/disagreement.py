"""Two models on the same examples: where they part."""

from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import SplitName, gallery_at, split_named
from core.models.output import class_probabilities, predicted_numbers
from core.results.disagreement import Disagreement

if TYPE_CHECKING:
    from torch import nn

BATCH = 512


def answers(module: "nn.Module", splits: Splits, split: SplitName) -> np.ndarray:
    """Float64 probabilities (N, K) of all examples of a split; for regression predicted numbers (N, 1) in their own unit."""
    import torch

    is_number = splits.profile.task == "regression"
    x = torch.from_numpy(splits.model_input(split_named(splits, split).x))
    parts = []
    with torch.inference_mode():
        for part in torch.split(x, BATCH):
            output = module(part).double()
            parts.append(predicted_numbers(output)[:, None] if is_number else class_probabilities(module, output))
    found: np.ndarray = torch.cat(parts).numpy()
    return found * splits.target_scale + splits.target_shift if is_number else found


def disagreement(
    splits: Splits, split: SplitName, answers: tuple[np.ndarray, np.ndarray], steps: tuple[int, int], n: int
) -> Disagreement:
    """The `n` examples of a split on which two models differ most, by their `answers` (N, K) or (N, 1).

    Of classes: those with different predictions, first where the less sure of both models is surest. Of numbers: all, first
    where the predictions lie furthest apart.
    """
    chosen, profile = split_named(splits, split), splits.profile
    if profile.task == "regression":
        first, second = (one[:, 0] for one in answers)
        targets = chosen.y.astype(np.float64) * splits.target_scale + splits.target_shift
        order = np.argsort(-np.abs(first - second), kind="stable")[:n]
        sure = np.full((2, len(order)), np.nan)
        n_differ = -1
        scores = tuple(_r2(one, targets) for one in (first, second))
    else:
        first, second = (one.argmax(1) for one in answers)
        certainty = np.stack([one.max(1) for one in answers])  # (2, N)
        differing = np.flatnonzero(first != second)
        order = differing[np.argsort(-certainty[:, differing].min(0), kind="stable")][:n]
        sure, n_differ = certainty[:, order], len(differing)
        scores = tuple(float(np.mean(one == chosen.y)) for one in (first, second))
    shown = gallery_at(splits, split, order)
    return Disagreement(
        split=split,
        indices=order,
        labels=shown.labels,
        first=first[order],
        second=second[order],
        first_p=sure[0],
        second_p=sure[1],
        n_examples=len(chosen),
        n_differ=n_differ,
        first_score=scores[0],
        second_score=scores[1],
        class_names=profile.class_names,
        first_step=steps[0],
        second_step=steps[1],
        target_name=profile.target_name,
        targets=shown.targets,
        pixels=shown.pixels,
        texts=shown.texts,
    )


def _r2(predicted: np.ndarray, targets: np.ndarray) -> float:
    """The coefficient of determination; NaN where all targets are equal."""
    from sklearn.metrics import r2_score

    return float(r2_score(targets, predicted)) if len(targets) > 1 and np.ptp(targets) > 0 else float("nan")
