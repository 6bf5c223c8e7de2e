"""SHAP for tables: Shapley values of features, against a background of training examples."""

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject, unless_columns
from core.explanation.shap_outcome import SHAP_SOURCE, shap_outcome
from core.explanation.shapley import n_coalitions, shapley_values
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch


class ShapTabular(ExplainerChoice):
    """Shares out the change of the output fairly among the features, against a background of training examples."""

    label: ClassVar[str] = "SHAP"
    source: ClassVar[str] = SHAP_SOURCE
    kind: Literal["shap_tabular"] = "shap_tabular"
    n_background: int = Field(50, ge=5, le=100)
    """How many training examples the values of hidden features are taken from."""
    n_evaluations: int = Field(500, ge=100, le=10_000)
    """How many combinations of features are tried when there are more than 12. Each is averaged over the background."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs a table or points."""
        reason = "This SHAP works on named features, and this data set has images. Take SHAP on patches of the image."
        return unless_columns(profile, reason)

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The Shapley value of each feature; hidden features take the values of the background rows, one after the other."""
        import torch

        background = _rows(subject.background, self.n_background)
        row = subject.x[0].double().numpy()
        planned = n_coalitions(len(row), self.n_evaluations) * len(background)
        evaluations = Evaluations(subject, progress, planned=planned)

        def game(rows: np.ndarray) -> np.ndarray:  # (N, F) -> (N,)
            return evaluations.logits(torch.from_numpy(np.ascontiguousarray(rows, np.float32)))

        found = shapley_values(game, row, background, self.n_evaluations, subject.seed)
        progress(evaluations.done, evaluations.done)  # constant features can make it shorter than planned
        baseline = f"mean output over {len(background)} training examples"
        return replace(shap_outcome(evaluations, self, found), baseline=baseline)


def _rows(background: "torch.Tensor", n: int) -> np.ndarray:
    """`n` rows evenly over the background, so that a sorted one is not cut to its first class; (n, F) float64."""
    n = min(n, len(background))
    picked: np.ndarray = background.double().numpy()[np.linspace(0, len(background) - 1, n).round().astype(int)]
    return picked
