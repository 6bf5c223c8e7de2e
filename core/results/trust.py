"""How far an explanation can be trusted: every test that was made of it, and the verdict."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["good", "mixed", "random"]

Doubt = Literal[
    "random_order",
    "constant",
    "few_parts",
    "residual",
    "poor_fit",
    "unstable",
    "untrained",
    "half_untrained",
    "disagrees",
    "misses",
]
"""What speaks against an explanation. "few_parts" only says that the curves can not tell it from chance."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What was tested of one explanation. Outputs are in `unit`, shares and areas' x axis in [0, 1], all arrays float64.

    Curves: `shares` (S+1,) of the input hidden or shown; `deletion` and `insertion` (S+1,) the output when the most important
    parts are hidden first, and when they are shown first; `random_deletion` and `random_insertion` (n, S+1) the same for
    random orders. An area under a curve is its mean output. `gap` is insertion's area less deletion's; `random_gaps` (2n,) are
    those of the random orders and of their reverses; `chance` is the share of random orders that reach the explanation's gap,
    counted with itself, or NaN where the order says nothing.

    `residual` of additive methods and its share of the change of the output, `fit_r2` of LIME. Stability: over `seeds`, one
    entry per pair, empty where nothing is random; `top_k` parts are compared. Randomisation: how many layers from the
    top were drawn anew, of `n_layers`, and the rank correlation of the values before and after. Agreement: one entry per other
    method. Localisation against known evidence, None where there is none: `pointing` (the strongest part lies in it),
    `mass` (of what speaks for the class), `rank_accuracy`, `roc_auc`, and `evidence_share`, which is what chance gives.
    """

    method: str
    label: str
    target_name: str
    unit: str
    step: int
    signed: bool
    verdict: Verdict
    doubts: tuple[Doubt, ...]
    fill: str
    part: Literal["pixel", "patch", "feature", "word"]
    n_parts: int
    shares: np.ndarray
    deletion: np.ndarray
    insertion: np.ndarray
    random_deletion: np.ndarray
    random_insertion: np.ndarray
    gap: float
    random_gaps: np.ndarray
    chance: float
    residual: float | None
    residual_share: float | None
    fit_r2: float | None
    top_k: int
    seeds: tuple[int, ...]
    stability_overlap: tuple[float, ...]
    stability_spearman: tuple[float, ...]
    n_layers: int
    layers_reset: tuple[int, ...]
    reset_spearman: tuple[float, ...]
    others: tuple[str, ...]
    others_overlap: tuple[float, ...]
    others_spearman: tuple[float, ...]
    pointing: bool | None
    mass: float | None
    rank_accuracy: float | None
    roc_auc: float | None
    evidence_share: float | None
    n_evaluations: int
    seconds: float
    notes: tuple[str, ...] = ()
