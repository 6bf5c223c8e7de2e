"""What one recurrent layer remembers, step by step; and what a model says after each token."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class HiddenStates:
    """The memory of one recurrent layer for one example, in evaluation mode.

    One entry of `parts`, `states`, `cells`, `norms`, `changes` and `cell_changes` for each stacked layer and direction:
    `states` (L, H) float32 after each step, `cells` (L, H) of an LSTM, else (0, H), `norms` (L,) the length of the state,
    `changes` (H,) how far each unit moves from step to step, on average over the tokens that are no padding. `steps` (L,) names
    the steps: tokens ("" for padding), patches, or numbers. `residual` is by how much the last layer's states differ, at most,
    from what the layer gave in the forward pass. `step` is the training step of the weights.
    """

    name: str
    layer: int
    parts: tuple[str, ...]
    states: tuple[np.ndarray, ...]
    cells: tuple[np.ndarray, ...]
    norms: tuple[np.ndarray, ...]
    changes: tuple[np.ndarray, ...]
    cell_changes: tuple[np.ndarray, ...]
    steps: tuple[str, ...]
    is_text: bool
    step: int
    residual: float
    text: str = ""

    @property
    def has_cells(self) -> bool:
        """Whether it is an LSTM."""
        return all(len(cells) for cells in self.cells)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the model says after none, one, two, ... tokens of a text, each time padded on the left as the data are.

    `tokens` (n,). `probabilities` (n + 1, K) of the classes, float32; for regression (n + 1, 0), and `values` (n + 1,) in the
    target's own unit, else (0,). `label` is the right class, -1 where it is not known.
    """

    tokens: tuple[str, ...]
    probabilities: np.ndarray
    values: np.ndarray
    class_names: tuple[str, ...]
    label: int
    step: int
    target_name: str = ""
