"""SHAP: Shapley values, exact for few players and from antithetic permutations for more, both by shap."""

import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile
from core.explanation.evaluations import IMAGE_BATCH, Evaluations, baseline_input, baseline_text
from core.explanation.explainer import NO_TEXT, ExplainerChoice, Progress, Subject
from core.explanation.randomness import seeded_numpy
from core.explanation.segments import subject_segments
from core.results.attribution import Attribution

if TYPE_CHECKING:
    import torch

EXACT_PLAYERS = 12
"""Up to here all 2**M coalitions are tried."""

Game = Callable[[np.ndarray], np.ndarray]
"""(N, M) float64 rows -> (N,) float64 logits."""


class ShapSuperpixels(ExplainerChoice):
    """Shares out the change of the output fairly among the patches of the image, over many orders of showing them."""

    label: ClassVar[str] = "SHAP"
    source: ClassVar[str] = "Lundberg, Lee 2017, A unified approach to interpreting model predictions"
    kind: Literal["shap_superpixels"] = "shap_superpixels"
    n_evaluations: int = Field(500, ge=100, le=10_000)
    """How many images with hidden patches are tried, when there are more than 12 patches. More makes the error bars shorter."""
    n_segments: int = Field(49, ge=4, le=100)
    """About how many patches the image is cut into. Up to 12, all combinations are tried and the values are exact."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image."""
        if profile.modality == "image":
            return None
        if profile.modality == "sequence":
            return NO_TEXT
        return "This SHAP hides patches of an image, and this data set has no images. Take SHAP for tables."

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """The Shapley value of each patch, painted; hidden patches take the mean colour."""
        import torch

        segments = subject_segments(subject, self.n_segments)
        n_players = int(segments.max()) + 1
        evaluations = Evaluations(subject, progress, planned=n_coalitions(n_players, self.n_evaluations))
        where, fill = torch.from_numpy(segments).long(), baseline_input(subject, "mean")

        def game(rows: np.ndarray) -> np.ndarray:  # (N, M) -> (N,)
            shown = torch.split(torch.from_numpy(rows > 0.5), IMAGE_BATCH)
            # (N, M) -> (N, 1, H, W), one batch at a time: 4096 images at once would be large.
            images = (torch.where(part[:, where].unsqueeze(1), subject.x, fill) for part in shown)
            return np.concatenate([evaluations.logits(batch) for batch in images])

        found = shapley_values(game, np.ones(n_players), np.zeros((1, n_players)), self.n_evaluations, subject.seed)
        drafted = evaluations.drafted(self, found.values[segments])
        return replace(_completed(drafted, found, subject.seed), segments=segments, baseline=baseline_text(subject, "mean"))


class ShapTabular(ExplainerChoice):
    """Shares out the change of the output fairly among the features, against a background of training examples."""

    label: ClassVar[str] = "SHAP"
    source: ClassVar[str] = ShapSuperpixels.source
    kind: Literal["shap_tabular"] = "shap_tabular"
    n_background: int = Field(50, ge=5, le=100)
    """How many training examples the values of hidden features are taken from."""
    n_evaluations: int = Field(500, ge=100, le=10_000)
    """How many combinations of features are tried when there are more than 12. Each is averaged over the background."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs a table or points."""
        if profile.modality == "sequence":
            return NO_TEXT
        if profile.modality != "image":
            return None
        return "This SHAP works on named features, and this data set has images. Take SHAP on patches of the image."

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
        baseline = f"mean output over {len(background)} training examples"
        return replace(_completed(evaluations.drafted(self, found.values), found, subject.seed), baseline=baseline)


@dataclass(frozen=True, slots=True)
class Shapley:
    """Shapley values (M,), the output with all players hidden, and of sampled values the standard error (M,); float64."""

    values: np.ndarray
    base: float
    stderr: np.ndarray | None
    is_exact: bool


def shapley_values(game: Game, row: np.ndarray, background: np.ndarray, n_evaluations: int, seed: int) -> Shapley:
    """How the change of `game` from `background` (B, M) to `row` (M,) is shared out among the M players.

    Up to 12 players all coalitions are tried. For more, each sample is an antithetic pair (a random order of the players
    and its reverse); the pairs are independent, so their spread gives an honest standard error, which shap's own is not.

    Source:
        Mitchell et al. 2022, "Sampling permutations for Shapley value estimation".
    """
    n_players = len(row)
    if np.isclose(row, background).all():
        return Shapley(np.zeros(n_players), float(game(row[None])[0]), None, True)
    shap = _shap()
    masker = shap.maskers.Independent(background, max_samples=len(background))
    with seeded_numpy(seed) as numpy_seed:
        if n_players <= EXACT_PLAYERS:
            exact = shap.ExactExplainer(game, masker)(row[None], silent=True)
            return Shapley(np.asarray(exact.values[0], float), float(np.ravel(exact.base_values)[0]), None, True)
        explainer = shap.PermutationExplainer(game, masker, seed=numpy_seed)
        n_pairs = _n_pairs(n_players, n_evaluations)
        # One call per pair gives the values pair by pair. (Several rows in one call cost half as much again: from the
        # second row on, shap 0.51 also evaluates main effects that nobody asked for.)
        pairs = [explainer(row[None], max_evals=2 * n_players + 1, silent=True) for _ in range(n_pairs)]
    values = np.stack([np.asarray(pair.values[0], float) for pair in pairs])  # (pairs, M)
    stderr = values.std(0, ddof=1) / n_pairs**0.5 if n_pairs > 1 else None
    return Shapley(values.mean(0), float(np.ravel(pairs[0].base_values)[0]), stderr, False)


def n_coalitions(n_players: int, n_evaluations: int) -> int:
    """How many coalitions `shapley_values` tries, at most."""
    if n_players <= EXACT_PLAYERS:
        return int(2**n_players)
    return _n_pairs(n_players, n_evaluations) * (2 * n_players + 1)


def _n_pairs(n_players: int, n_evaluations: int) -> int:
    return max(1, n_evaluations // (2 * n_players + 1))


def _completed(drafted: Attribution, found: Shapley, seed: int) -> Attribution:
    """The attribution with what Shapley values bring; the residual is ours, since not every explainer of shap checks it."""
    note = "Exact: all combinations were tried."
    if not found.is_exact:
        note = "Sampled."
        if found.stderr is not None:
            note = f"Sampled: the standard error of a value is at most {found.stderr.max():.2g} {drafted.unit}."
    return replace(
        drafted,
        base=found.base,
        residual=float(found.values.sum() + found.base - drafted.output),
        players=found.values,
        stderr=found.stderr,
        seed=None if found.is_exact else seed,
        notes=(note,),
    )


def _rows(background: "torch.Tensor", n: int) -> np.ndarray:
    """`n` rows evenly over the background, so that a sorted one is not cut to its first class; (n, F) float64."""
    n = min(n, len(background))
    picked: np.ndarray = background.double().numpy()[np.linspace(0, len(background) - 1, n).round().astype(int)]
    return picked


def _shap() -> Any:
    """The shap package. At our sizes its compiled loops cost seconds to compile and save milliseconds: same values without."""
    os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
    with warnings.catch_warnings():
        # shap builds its colour maps, which we never use, in a way that matplotlib will drop.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        import shap

    return shap
