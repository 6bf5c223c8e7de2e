"""What a disturbance of the input does to a model: to its score on many examples, and to its answer to one."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Robustness:
    """Scores against S rising `strengths` (S,) in `unit`, the first of them 0, of the same `n_examples` of a split.

    `score` (S,) float64 is the accuracy in [0, 1], for regression the mean absolute error in the unit of the target; `low` and
    `high` are the ends of its 95 % interval. `kept` (S,) is the share of predictions that are as they were undisturbed (for
    regression NaN).
    """

    split: str
    step: int
    disturbance: str
    unit: str
    strengths: np.ndarray
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray
    kept: np.ndarray
    n_examples: int
    n_in_split: int
    is_regression: bool = False
    target_name: str = ""


@dataclass(frozen=True, slots=True)
class DisturbedExample:
    """One example under S rising `strengths` (S,): as it looks then, and what the model says of it.

    `probabilities` (S, K) float64; for regression (S, 0), and `values` (S,) the predicted numbers. Images have `pixels`
    (S, H, W) or (S, H, W, 3) uint8, texts `texts`, rows `raw` (S, F) with `raw_names`.
    """

    disturbance: str
    unit: str
    strengths: np.ndarray
    class_names: tuple[str, ...]
    probabilities: np.ndarray
    label: int
    """The right class; -1 where nobody knows it, and for regression."""
    values: np.ndarray | None = None
    target_name: str = ""
    pixels: np.ndarray | None = None
    texts: tuple[str, ...] = ()
    raw: np.ndarray | None = None
    raw_names: tuple[str, ...] = ()
