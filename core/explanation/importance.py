"""How much worse a model gets when one column tells it nothing any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.explanation.columns import Column
from core.explanation.explainer import Subject
from core.models.output import class_probabilities

AT_ONCE = 1024
SMALLEST = 1e-12
"""Probabilities below count as this much: the loss of a certain mistake is finite."""

Judge = Callable[[np.ndarray], tuple[float, float]]
"""Rows (N, F) as the model receives them -> loss and score."""


@dataclass(frozen=True, slots=True)
class Importance:
    """Loss and score of the model as it is, and by how much they get worse, (R, K) float64, with a column shuffled."""

    loss: float
    score: float
    losses: np.ndarray
    scores: np.ndarray


def permutation_importance(
    judge: Judge, x: np.ndarray, columns: Sequence[Column], orders: np.ndarray, tell: Callable[[int], None]
) -> Importance:
    """What it costs to give each column to the wrong examples, in each of R orders (R, N), the same for all columns.

    `tell` gets the number of rows after each call of the judge, and may raise to cancel.

    Source:
        Breiman 2001, "Random forests", section 10; Fisher, Rudin, Dominici 2019, "All models are wrong, but many are useful".
    """
    loss, score = judge(x)
    tell(len(x))
    losses, scores = (np.zeros((len(orders), len(columns))) for _ in range(2))
    for k, column in enumerate(columns):
        places = list(column.places)
        for r, order in enumerate(orders):
            shuffled = x.copy()
            shuffled[:, places] = x[order][:, places]
            found = judge(shuffled)
            losses[r, k], scores[r, k] = found[0] - loss, score - found[1]
            tell(len(x))
    return Importance(loss, score, losses, scores)


def judge_of(subject: Subject, targets: np.ndarray) -> Judge:
    """Mean cross-entropy in nats and accuracy; for regression the mean absolute error and R², in the target's own unit."""
    is_number = subject.task == "regression"

    def judge(x: np.ndarray) -> tuple[float, float]:
        outputs = _outputs(subject, x)
        return _of_numbers(outputs[:, 0], targets) if is_number else _of_classes(outputs, targets)

    return judge


def _of_numbers(predicted: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    spread = float(((targets - targets.mean()) ** 2).sum())
    missed = float(((targets - predicted) ** 2).sum())
    return float(np.abs(targets - predicted).mean()), 1 - missed / spread if spread else 0.0


def _of_classes(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(right, SMALLEST)).mean()), float((probabilities.argmax(1) == labels).mean())


def _outputs(subject: Subject, x: np.ndarray) -> np.ndarray:
    """Probabilities (N, C), or predicted numbers (N, 1), float64."""
    import torch

    with torch.inference_mode():
        parts = []
        for part in torch.split(torch.from_numpy(x), AT_ONCE):
            outputs = subject.module(part).double()
            parts.append(outputs if subject.task == "regression" else class_probabilities(subject.module, outputs))
        found: np.ndarray = torch.cat(parts).numpy()
    return found
