"""How good predictions of classes are: scikit-learn's figures, with the cases settled in which it warns or refuses.

K classes, N examples; `labels` and `predicted` (N,) int64, `log_probabilities` (N, K) float64. NaN says that a figure is not
defined: the precision of a class that is never predicted, the recall of one that is never there.
"""

import numpy as np
from numpy.typing import NDArray

from core.metrics.calibration import expected_calibration_error, reliability

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
AVERAGES = ("micro", "macro", "weighted")
SCORES = ("precision", "recall", "f1")
TOP_K = (3, 5)


def headline(labels: Labels, log_probabilities: Floats) -> dict[str, float]:
    """The figures that depend on the counts of right and wrong, and on the probabilities; not those of curves.

    Macro averages are over the classes that are there or predicted, with an undefined precision as 0, as scikit-learn does.
    """
    from sklearn.metrics import accuracy_score, matthews_corrcoef, precision_recall_fscore_support, recall_score

    predicted = log_probabilities.argmax(1)
    found = {"accuracy": float(accuracy_score(labels, predicted))}
    for k in shown_ks(log_probabilities.shape[1]):
        found[f"top_{k}"] = float(hits_within(labels, log_probabilities, k).mean())
    found["balanced_accuracy"] = float(
        recall_score(labels, predicted, labels=np.unique(labels), average="macro", zero_division=0)
    )
    for average in AVERAGES:
        three = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)[:3]
        found |= {f"{name}_{average}": float(value) for name, value in zip(SCORES, three, strict=True)}
    is_constant = len(np.union1d(labels, predicted)) == 1  # scikit-learn gives 0 then too, with a warning
    found["mcc"] = 0.0 if is_constant else float(matthews_corrcoef(labels, predicted))
    found["log_loss"] = float(log_losses(labels, log_probabilities).mean())
    found["brier"] = float(brier_scores(labels, log_probabilities).mean())
    found["ece"] = expected_calibration_error(reliability(log_probabilities, labels))
    return found


def by_class(labels: Labels, predicted: Labels, n_classes: int) -> tuple[Floats, Labels, Labels]:
    """Precision, recall and F1 (K, 3), NaN where undefined; how often each class is there (K,), and is predicted (K,)."""
    from sklearn.metrics import precision_recall_fscore_support

    classes = np.arange(n_classes)
    three = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=np.nan)[:3]
    return np.stack(three, 1), np.bincount(labels, minlength=n_classes), np.bincount(predicted, minlength=n_classes)


def shown_ks(n_classes: int) -> tuple[int, ...]:
    """The k for which "among the k most probable" says something."""
    return tuple(k for k in TOP_K if k < n_classes)


def hits_within(labels: Labels, log_probabilities: Floats, k: int) -> Floats:
    """1 where the true class is among the k most probable, else 0, (N,). Of equal ones the first class comes first."""
    own = np.take_along_axis(log_probabilities, labels[:, None], 1)
    is_earlier = np.arange(log_probabilities.shape[1]) < labels[:, None]
    before = (log_probabilities > own) | ((log_probabilities == own) & is_earlier)
    hits: Floats = (before.sum(1) < k).astype(np.float64)
    return hits


def log_losses(labels: Labels, log_probabilities: Floats) -> Floats:
    """Minus the log-probability of the true class (N,), in nats."""
    losses: Floats = -np.take_along_axis(log_probabilities, labels[:, None], 1)[:, 0]
    return losses


def brier_scores(labels: Labels, log_probabilities: Floats) -> Floats:
    """Squared distance of the probabilities from the truth (N,): summed over classes, from 0 to 2.

    For two classes that of one class alone, from 0 to 1, as scikit-learn does.

    Source:
        Brier 1950.
    """
    n_classes = log_probabilities.shape[1]
    distance = np.exp(log_probabilities)
    distance[np.arange(len(labels)), labels] -= 1
    scores: Floats = np.square(distance).sum(1) * (0.5 if n_classes == 2 else 1.0)
    return scores
