"""An explanation of one prediction, with what is needed to judge it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Attribution:
    """Contributions to one class's output, or to a predicted number, from one method.

    `values` float32: image (H, W), channels summed; tabular (F,). In `unit` of the model's output (for additive methods
    they sum to output - base; where there are `players`, these do, and each pixel of a superpixel shows its whole value).
    `players` (M,) are the values per superpixel or feature before painting, `segments`
    (H, W) int32 with labels 0..M-1, `stderr` (M,) the standard error of sampling methods. None where a method has no
    such thing: `base` (the output for the baseline), `residual` (that sum + base - output), `fit_r2` (LIME's
    weighted R2), `seed` (nothing random). `input` is the example as the model received it, `pixels` (H, W[, 3]) uint8
    its picture. For regression `target` is 0, `target_name` the name of the number, values are in its own unit, and
    `probability` is NaN. `n_evaluations` counts model evaluations, `seconds` is wall time.
    """

    method: str
    label: str
    target: int
    target_name: str
    unit: str
    values: np.ndarray
    output: float
    probability: float
    step: int
    signed: bool
    n_evaluations: int
    seconds: float
    input: np.ndarray
    pixels: np.ndarray | None = None
    base: float | None = None
    residual: float | None = None
    fit_r2: float | None = None
    seed: int | None = None
    baseline: str = ""
    players: np.ndarray | None = None
    segments: np.ndarray | None = None
    stderr: np.ndarray | None = None
    feature_names: tuple[str, ...] = ()
    feature_values: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    evidence: np.ndarray | None = None
    """Which part decides the class, where it is known: (H, W) or (L,) bool."""
    output_unit: str = ""
    """Unit of `output`, where the values have another one; "" for `unit`."""
    contrast: str = ""
    """Name of the class that the target is held against; `output` is then the difference of the two."""
