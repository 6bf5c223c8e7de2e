"""LIME for texts, by lime: hides words at random and fits a linear model."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.explanation.lime_method import POOR_FIT, LimeImage
from core.explanation.randomness import explain_seed, seeded_numpy
from core.explanation.text_players import TOKENS_BATCH, Hidden, drafted_text, reason_against_text, words_of
from core.results.attribution import Attribution

HIDDEN = "_"
"""What stands for a hidden word in the text that lime masks."""
POOR_NOTE = "The linear model explains only {fit:.0%} of what the network does around this text: trust it little."


class LimeText(ExplainerChoice):
    """Hides random words of the text and fits a linear model to what the network then says."""

    label: ClassVar[str] = "LIME"
    source: ClassVar[str] = LimeImage.source
    kind: Literal["lime_text"] = "lime_text"
    hidden: Hidden = "removed"
    """removed: a hidden word is left out, and the others move together. unknown: it becomes the token for an unknown word."""
    n_samples: int = Field(500, ge=100, le=5000)
    """How many texts with hidden words are tried. More is slower and steadier from seed to seed."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs a text."""
        return reason_against_text(profile, "This LIME")

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The weight of each token in the linear model; `base` is its intercept (all words hidden)."""
        from lime.lime_text import LimeTextExplainer

        words = words_of(subject, self.hidden)
        evaluations = Evaluations(subject, progress, planned=self.n_samples)
        # lime masks a text of place numbers: each word has its own, whatever it is, and none can be mistaken or glued.
        names = [str(place) for place in range(len(words.places))]

        def predict(texts: list[str]) -> np.ndarray:  # N texts -> (N, 1)
            shown = np.array([[word != HIDDEN for word in text.split(" ")] for text in texts])
            parts = np.split(shown, range(TOKENS_BATCH, len(shown), TOKENS_BATCH))
            return np.concatenate([evaluations.logits(words.masked(part)) for part in parts])[:, None]

        with seeded_numpy(subject.seed):
            explainer = LimeTextExplainer(
                bow=False,
                mask_string=HIDDEN,
                split_expression=r" ",
                feature_selection="none",
                random_state=explain_seed(subject.seed),
            )
            found = explainer.explain_instance(
                " ".join(names), predict, labels=(0,), num_features=len(names), num_samples=self.n_samples
            )
        weights = np.zeros(len(names))
        for place, weight in found.local_exp[0]:
            weights[place] = weight
        fit = float(found.score[0] if isinstance(found.score, dict) else found.score)
        drafted = drafted_text(evaluations, self, words.spread(weights), self.hidden)
        return replace(
            drafted,
            base=float(found.intercept[0]),
            fit_r2=fit,
            seed=subject.seed,
            notes=(*((POOR_NOTE.format(fit=max(fit, 0.0)),) if fit < POOR_FIT else ()), *drafted.notes),
        )
