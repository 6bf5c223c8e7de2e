"""Whether an explanation points at the part that is known to decide the class."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Localisation:
    """`share` is the part of the input that is evidence: what a random map gets as mass and rank accuracy, and how often it
    points right. The ROC area of a random map is 0.5."""

    pointing: bool
    mass: float
    rank_accuracy: float
    roc_auc: float
    share: float


def localisation(values: np.ndarray, evidence: np.ndarray) -> Localisation | None:
    """Signed values against a mask of the same shape; None where the mask holds nothing or everything.

    Equal values (a patch has one for all its pixels) count half and half: the map points right when most of what is
    strongest lies in the mask.

    Source:
        Zhang et al. 2016, "Top-down neural attention by excitation backprop" (pointing game); Arras, Osman, Samek 2022,
        "CLEVR-XAI" (mass and rank accuracy).
    """
    values, mask = np.asarray(values, np.float64).ravel(), np.asarray(evidence, bool).ravel()
    if not mask.any() or mask.all():
        return None
    positive = np.maximum(values, 0)
    total = float(positive.sum())
    return Localisation(
        pointing=bool(mask[values == values.max()].mean() >= 0.5),
        mass=float(positive[mask].sum()) / total if total else 0.0,
        rank_accuracy=_rank_accuracy(values, mask),
        roc_auc=_roc_auc(values, mask),
        share=float(mask.mean()),
    )


def _rank_accuracy(values: np.ndarray, mask: np.ndarray) -> float:
    """The share of evidence among the strongest places, as many as there is evidence; ties at the limit count by their mean."""
    k = int(mask.sum())
    limit = np.sort(values)[-k]
    above, at = values > limit, values == limit
    return float(mask[above].sum() + (k - above.sum()) * mask[at].mean()) / k


def _roc_auc(values: np.ndarray, mask: np.ndarray) -> float:
    """How often evidence ranks before the rest; ties count half."""
    from scipy.stats import rankdata

    n_in = int(mask.sum())
    n_out = len(mask) - n_in
    return float(rankdata(values)[mask].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out)
