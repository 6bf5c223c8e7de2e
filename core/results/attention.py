"""Where one attention layer looked."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class AttentionMaps:
    """Attention weights of one layer for one example, in evaluation mode.

    `weights` (heads, L, L) float32: row i says from which steps (columns) step i takes what it takes; rows sum to 1. `steps`
    (L,) names the steps: tokens ("" for padding) or patches; `rows` and `columns` are 0 where steps are no patches, `n_before`
    steps (a class token) come before them. `residual` is by how much the model's output differs, at most, from that of the pass
    without weights. `step` is the training step of the weights.
    """

    name: str
    layer: int
    weights: np.ndarray
    steps: tuple[str, ...]
    is_text: bool
    step: int
    residual: float
    rows: int = 0
    columns: int = 0
    n_before: int = 0
    picture: np.ndarray | None = None
    """Patches: what they are cut from, (H, W) or (H, W, 3) uint8."""
    text: str = ""

    def of_head(self, head: int | None) -> np.ndarray:
        """(L, L): of one head, or the mean of all."""
        found: np.ndarray = self.weights.mean(0) if head is None else self.weights[head]
        return found

    def from_step(self, head: int | None, query: int | None) -> np.ndarray:
        """(L,): where one step looks, or the mean of all steps."""
        of_head = self.of_head(head)
        found: np.ndarray = of_head.mean(0) if query is None else of_head[query]
        return found

    def padding_share(self, head: int | None, query: int | None) -> float:
        """The share of the weights that lies on padding, in [0, 1]; 0 for patches."""
        is_padding = np.array([self.is_text and not name for name in self.steps])
        return float(self.from_step(head, query)[is_padding].sum())

    def shown(self) -> list[int]:
        """Places of the steps that are no padding."""
        return [place for place, name in enumerate(self.steps) if name or not self.is_text]

    def readable(self, head: int | None) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
        """The weights without the rows of padding, whose columns are summed in one, "", that comes first; rows still sum to 1.

        Returns:
            The weights (n, n or n + 1), the names of the rows and those of the columns.
        """
        places, found = self.shown(), self.of_head(head)
        names = tuple(self.steps[place] for place in places)
        weights = found[np.ix_(places, places)]
        if len(places) == len(self.steps):
            return weights, names, names
        padding = found[places].sum(1, keepdims=True) - weights.sum(1, keepdims=True)
        return np.concatenate([padding, weights], axis=1), names, ("", *names)
