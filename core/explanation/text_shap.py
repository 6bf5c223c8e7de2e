"""SHAP for texts: each word is a player."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.shap_method import ShapSuperpixels, n_coalitions, shapley_values
from core.explanation.text_players import TOKENS_BATCH, Hidden, drafted_text, reason_against_text, words_of
from core.results.attribution import Attribution


class ShapText(ExplainerChoice):
    """Shares out the change of the output fairly among the words of the text, over many orders of showing them."""

    label: ClassVar[str] = "SHAP"
    source: ClassVar[str] = ShapSuperpixels.source
    kind: Literal["shap_text"] = "shap_text"
    hidden: Hidden = "removed"
    """removed: a hidden word is left out, and the others move together. unknown: it becomes the token for an unknown word."""
    n_evaluations: int = Field(500, ge=100, le=10_000)
    """How many texts with hidden words are tried, when there are more than 12 words. More makes the error bars shorter."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs a text."""
        return reason_against_text(profile, "This SHAP")

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The Shapley value of each token; padding is no player."""
        words = words_of(subject, self.hidden)
        n_players = len(words.places)
        evaluations = Evaluations(subject, progress, planned=n_coalitions(n_players, self.n_evaluations))

        def game(rows: np.ndarray) -> np.ndarray:  # (N, M) -> (N,)
            parts = np.split(rows > 0.5, range(TOKENS_BATCH, len(rows), TOKENS_BATCH))
            return np.concatenate([evaluations.logits(words.masked(part)) for part in parts])

        found = shapley_values(game, np.ones(n_players), np.zeros((1, n_players)), self.n_evaluations, subject.seed)
        drafted = drafted_text(evaluations, self, words.spread(found.values), self.hidden)
        note = "Exact: all combinations were tried."
        if not found.is_exact:
            note = "Sampled."
            if found.stderr is not None:
                note = f"Sampled: the standard error of a value is at most {found.stderr.max():.2g} {drafted.unit}."
        return replace(
            drafted,
            base=found.base,
            residual=float(found.values.sum() + found.base - drafted.output),
            stderr=None if found.stderr is None else words.spread(found.stderr),
            seed=None if found.is_exact else subject.seed,
            notes=(note, *drafted.notes),
        )
