"""What each threshold on a probability decides."""

import numpy as np
from numpy.typing import NDArray

from core.results.decisions import Decisions


def decisions(scores: NDArray[np.float64], is_positive: NDArray[np.bool_]) -> Decisions:
    """All thresholds on the scores (N,) that decide differently, with their counts; equal scores are decided together."""
    order = np.argsort(-scores, kind="stable")
    falling, positive = scores[order], is_positive[order]
    last = np.append(np.flatnonzero(np.diff(falling)), len(falling) - 1)  # the last example of each score
    hits = np.cumsum(positive)[last]
    return Decisions(
        thresholds=np.concatenate([[np.inf], falling[last]]),
        true_positives=np.concatenate([[0], hits]).astype(np.int64),
        false_positives=np.concatenate([[0], last + 1 - hits]).astype(np.int64),
        n_positive=int(is_positive.sum()),
        n_negative=int((~is_positive).sum()),
    )
