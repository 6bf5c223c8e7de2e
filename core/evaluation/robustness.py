"""Scores under disturbed inputs. Attacks act on what the model sees, all else on the examples before any preparation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.data.dataset import DataProfile, DatasetChoice, Splits
from core.data.disturb import Raw, disturbed
from core.data.disturbance import DisturbanceChoice, FastGradientSign, FastGradientSignColumns
from core.data.edited import COORDINATES
from core.data.plane import Plane
from core.data.prepare import model_points
from core.data.sequence import text_of
from core.evaluation.predictions import no_report, outputs_of
from core.evaluation.slices import originals_of
from core.metrics.intervals import score_of
from core.models.output import class_log_probabilities, class_probabilities, predicted_numbers
from core.results.robustness import DisturbedExample, Robustness
from core.types import Report

if TYPE_CHECKING:
    from torch import Tensor, nn

ATTACKED = 128
"""Examples whose gradient is taken at once."""
COLOUR_OF = 1_000
"""Training images over which the mean colour is taken."""


@dataclass(frozen=True, slots=True)
class Undisturbed:
    """N examples: `x` as the model sees them, `raw` before any preparation, and how these become what it sees.

    `y` (N,): classes int64, or targets float32 as the model predicts them.
    """

    x: np.ndarray
    y: np.ndarray
    raw: Raw
    prepared: Callable[[np.ndarray], np.ndarray]
    splits: Splits

    def under(
        self,
        module: "nn.Module",
        disturbance: DisturbanceChoice,
        strength: float,
        seed: int,
        report: Report = no_report,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The examples under a disturbance: as the model sees them, and before any preparation, None where that cannot be said.

        Strength 0 is exactly the undisturbed examples.
        """
        if strength == 0:
            return self.x, self.raw.x
        if isinstance(disturbance, FastGradientSign | FastGradientSignColumns):
            size, low, high = attack_size(self.splits, strength)
            x = fast_gradient_sign(module, self.x, self.y, size, (low, high), report)
            return x, self._unscaled(x) if isinstance(disturbance, FastGradientSign) else None
        raw = disturbed(disturbance, self.raw, strength, seed)
        return self.prepared(raw), raw

    def _unscaled(self, x: np.ndarray) -> np.ndarray:
        """Pixels from 0 to 255 of what the model sees."""
        pixels: np.ndarray = (x / self.splits.scale + self.splits.shift) * (255 / self.splits.brightest)
        return pixels


def undisturbed(
    splits: Splits, data: DatasetChoice, seed: int, x: np.ndarray, y: np.ndarray, original: np.ndarray
) -> Undisturbed:
    """Some images, rows, points or texts: `x` as the model sees them, `original` as they were before any preparation.

    Of points, `original` are the places (N, 2); images have the data's own range.
    """
    preparation, profile = data.preparation, splits.original_profile or splits.profile
    train, _ = originals_of(splits, "train")
    if profile.modality == "image":
        scale = np.float32(255 / splits.brightest)
        colour = train.x[:COLOUR_OF].mean((0, 2, 3), dtype=np.float64).astype(np.float32) * scale
        raw = Raw(original.astype(np.float32) * scale, colour=colour)
        return Undisturbed(x, y, raw, lambda pixels: model_points(splits, preparation, pixels / scale), splits)
    if isinstance(data, Plane):
        raw = Raw(original, spreads(data.places(seed, 0)))
        return Undisturbed(x, y, raw, lambda at: model_points(splits, preparation, data.features_of(at)), splits)
    raw = Raw(original, None if profile.modality == "sequence" else spreads(train.x, profile.categories))
    return Undisturbed(x, y, raw, lambda rows: model_points(splits, preparation, rows), splits)


def spreads(x: np.ndarray, categories: tuple[tuple[str, ...], ...] = ()) -> np.ndarray:
    """Standard deviations (F,) float64 of columns (N, F), gaps left out; 0 for a column of categories."""
    is_number = np.array([not names for names in categories] or [True] * x.shape[1])
    numbers = np.where(np.isfinite(x), x, np.nan).astype(np.float64)
    numbers[:, ~is_number | np.isnan(numbers).all(0)] = 0
    found: np.ndarray = np.nanstd(numbers, axis=0)
    return found


def attack_size(splits: Splits, strength: float) -> tuple[np.ndarray, np.ndarray | float, np.ndarray | float]:
    """How far inputs move at this strength as the model sees them, and between which values they stay: the valid pixels."""
    if splits.profile.modality == "image":
        one = strength / 255 * splits.brightest * splits.scale
        return one, (0 - splits.shift) * splits.scale, (splits.brightest - splits.shift) * splits.scale
    return strength * spreads(splits.model_input(splits.train.x)), -np.inf, np.inf


def fast_gradient_sign(
    module: "nn.Module",
    x: np.ndarray,
    y: np.ndarray,
    size: np.ndarray,
    bounds: tuple[np.ndarray | float, np.ndarray | float],
    report: Report = no_report,
) -> np.ndarray:
    """Inputs (N, *shape) moved by `size` in the direction of the sign of the loss's gradient, within bounds, float32.

    The loss is the cross-entropy of the classes `y` (N,) int64, or the squared error of the numbers `y` float32.
    """
    import torch

    parts = []
    for start in range(0, len(x), ATTACKED):
        report(start, len(x))
        given = torch.from_numpy(x[start : start + ATTACKED]).requires_grad_()
        with torch.enable_grad():
            loss = _loss(module, module(given), torch.from_numpy(y[start : start + ATTACKED]))
            (gradient,) = torch.autograd.grad(loss, given)
        parts.append(given.detach().numpy() + size.astype(np.float32) * np.sign(gradient.numpy()))
    found: np.ndarray = np.clip(np.concatenate(parts), bounds[0], bounds[1]).astype(np.float32)
    return found


def _loss(module: "nn.Module", output: "Tensor", y: "Tensor") -> "Tensor":
    """Summed, so that the gradient of an example is its own."""
    if y.dtype.is_floating_point:
        return (predicted_numbers(output) - y).square().sum()
    return -class_log_probabilities(module, output).gather(1, y[:, None]).sum()


def robustness(
    module: "nn.Module",
    given: Undisturbed,
    disturbance: DisturbanceChoice,
    strengths: np.ndarray,
    seed: int,
    report: Report = no_report,
) -> Robustness:
    """The score at every strength; `report` counts examples times strengths. Which split and moment it is, the caller knows."""
    rows, kept = [], []
    before: np.ndarray | None = None
    n = len(given.y)
    for done, strength in enumerate(strengths.tolist()):

        def attacked(_at: int, _of: int, done: int = done) -> None:
            report(done * n, n * len(strengths))

        def answered(at: int, _of: int, done: int = done) -> None:
            report(done * n + at, n * len(strengths))

        x, _ = given.under(module, disturbance, strength, seed, attacked)
        said = answers(module, given.splits, x, answered)
        before = said if before is None else before
        rows.append(score_of(outcomes(said, given.y, given.splits)))
        kept.append(np.nan if said.ndim == 1 else float((said.argmax(1) == before.argmax(1)).mean()))
    score, low, high = np.array(rows, np.float64).T
    return Robustness(
        split="",
        step=0,
        disturbance=disturbance.label,
        unit=disturbance.unit,
        strengths=strengths,
        score=score,
        low=low,
        high=high,
        kept=np.array(kept),
        n_examples=len(given.y),
        n_in_split=len(given.y),
        is_regression=given.splits.profile.task == "regression",
        target_name=given.splits.profile.target_name,
    )


def disturbed_example(
    module: "nn.Module", given: Undisturbed, disturbance: DisturbanceChoice, strengths: np.ndarray, seed: int
) -> DisturbedExample:
    """The first of the examples under every strength. An attack is on the class `given.y`."""
    splits = given.splits
    original = splits.original_profile or splits.profile
    both = [given.under(module, disturbance, float(strength), seed) for strength in strengths]
    said = [answers(module, splits, x[:1])[0] for x, _ in both]
    is_number = splits.profile.task == "regression"
    shown = [raw[:1] for _, raw in both if raw is not None]
    is_row = original.modality in ("points", "tabular") and len(shown) == len(strengths)
    return DisturbedExample(
        disturbance=disturbance.label,
        unit=disturbance.unit,
        strengths=strengths,
        class_names=splits.profile.class_names,
        probabilities=np.zeros((len(strengths), 0)) if is_number else np.stack(said),
        label=-1,
        values=np.array(said) if is_number else None,
        target_name=splits.profile.target_name,
        pixels=pictures(np.concatenate(shown)) if original.modality == "image" and len(shown) == len(strengths) else None,
        texts=tuple(text_of(raw[0], splits.vocabulary) for raw in shown) if original.modality == "sequence" else (),
        raw=np.concatenate(shown) if is_row else None,
        raw_names=row_names(original) if is_row else (),
    )


def pictures(x: np.ndarray) -> np.ndarray:
    """Images (N, C, H, W) from 0 to 255 as (N, H, W) or (N, H, W, 3) uint8."""
    pixels: np.ndarray = np.rint(np.clip(x, 0, 255)).astype(np.uint8)
    return pixels[:, 0] if x.shape[1] == 1 else pixels.transpose(0, 2, 3, 1)


def row_names(original: DataProfile) -> tuple[str, ...]:
    """What the numbers of a row are called."""
    return COORDINATES if original.modality == "points" else original.feature_names


def answers(module: "nn.Module", splits: Splits, x: np.ndarray, report: Report = no_report) -> np.ndarray:
    """Probabilities (N, K) float64 of inputs as the model sees them; for regression numbers (N,) in the unit of the target."""
    found = outputs_of(module, x, report)
    if splits.profile.task == "regression":
        numbers: np.ndarray = predicted_numbers(found).numpy() * splits.target_scale + splits.target_shift
        return numbers
    shares: np.ndarray = class_probabilities(module, found).numpy()
    return shares


def outcomes(said: np.ndarray, y: np.ndarray, splits: Splits) -> np.ndarray:
    """Hits (N,) bool, or absolute errors (N,) float64 in the unit of the target."""
    if said.ndim == 2:
        hits: np.ndarray = said.argmax(1) == y
        return hits
    errors: np.ndarray = np.abs(said - (y.astype(np.float64) * splits.target_scale + splits.target_shift))
    return errors
