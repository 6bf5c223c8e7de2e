"""The words of a text as the players of a game: which are shown, and what stands for a hidden one."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from core.data.dataset import DataProfile
from core.data.sequence import SPECIAL
from core.errors import NotApplicable
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Subject
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch

PADDING_NUMBER, UNKNOWN_NUMBER = (SPECIAL.index(token) for token in SPECIAL)
Hidden = Literal["removed", "unknown"]
"""What happens to a hidden word: it is left out and the others move together, or another token takes its place.

Left out is the default: the token for an unknown word need not occur in training, shorter texts do."""
BASELINE_TEXTS = {
    "unknown": "every word replaced by the token for an unknown word",
    "removed": "an empty text: a hidden word is left out, and the others move together",
    "padding": "the vectors of padding, which are zero, in place of those of the words",
}
NOT_LEARNED = (
    "None of the {n} training examples looked at has an unknown word: the model may never have learned what one is, and what "
    'it says of texts with hidden words tells less. See what the other setting of "hidden" gives.'
)
TOKENS_BATCH = 256
"""Masked texts at once: a cancel comes through between two batches."""


@dataclass(frozen=True, slots=True)
class Words:
    """The places (M,) int64 of the tokens that are no padding, in a row (1, L) int64, and the row with all of them hidden."""

    places: np.ndarray
    row: "torch.Tensor"
    hidden: "torch.Tensor"
    are_removed: bool = False

    def masked(self, shown: np.ndarray) -> "torch.Tensor":
        """Rows (N, L) int64 with the players of `shown` (N, M) bool, and for the others nothing, or the unknown word."""
        import torch

        rows = self.hidden.repeat(len(shown), 1)
        if self.are_removed:
            tokens = self.row[0].numpy()[self.places]
            for row, is_shown in zip(rows, shown, strict=True):
                if kept := int(is_shown.sum()):
                    row[-kept:] = torch.from_numpy(tokens[is_shown])
            return rows
        places = torch.from_numpy(self.places)
        rows[:, places] = torch.where(torch.from_numpy(shown), self.row[:, places], self.hidden[:, places])
        return rows

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values (M,) of the players at their places in the row, (L,); padding has 0."""
        found = np.zeros(self.row.shape[1])
        found[self.places] = values
        return found


def words_of(subject: Subject, hidden: str = "removed") -> Words:
    """The players of a subject; `hidden` is a key of `BASELINE_TEXTS`.

    Raises:
        NotApplicable: its input is no text, or one that is all padding.
    """
    row = subject.x
    if row.ndim != 2 or row.is_floating_point():
        raise NotApplicable("This example is no text.", hint="Take a method for pictures or for tables.")
    places = np.flatnonzero(row[0].numpy() != PADDING_NUMBER)
    if len(places) == 0:
        raise NotApplicable("This text has no words: there is nothing to explain.", hint="Choose another example.")
    blank = row.clone()
    blank[0, places] = UNKNOWN_NUMBER if hidden == "unknown" else PADDING_NUMBER
    return Words(places, row, blank, hidden == "removed")


def reason_against_text(profile: DataProfile, method: str) -> str | None:
    """Why a method for texts does not apply to these data, in words."""
    if profile.modality == "sequence":
        return None
    return f"{method} hides or changes words, and this data set has no texts."


def drafted_text(evaluations: Evaluations, choice: ExplainerChoice, values: np.ndarray, hidden: str) -> Attribution:
    """The attribution of a text with values (L,): its tokens are the names, and what it starts from is said."""
    subject = evaluations.subject
    names = subject.tokens or tuple(str(number) for number in subject.x[0].tolist())
    is_learned = hidden != "unknown" or bool((subject.background == UNKNOWN_NUMBER).any())
    return replace(
        evaluations.drafted(choice, values),
        feature_names=names,
        feature_values=None,
        baseline=BASELINE_TEXTS[hidden],
        notes=() if is_learned else (NOT_LEARNED.format(n=len(subject.background)),),
    )
