"""On pictures of which it is known what decides, explanations of a model that has learned it point there.

The weights come from `python -m tools.train_evidence`; what they can do is asserted first.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import pytest
import torch
from torch import nn

from core.data.dataset import Splits
from core.data.evidence import MARK_AT
from core.data.gallery import SplitName, background, example, split_named
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Subject
from core.explanation.integrated import IntegratedGradients
from core.explanation.lime_method import LimeImage
from core.explanation.localisation import localisation
from core.explanation.prepared import subject_of
from core.explanation.shap_superpixels import ShapSuperpixels
from core.explanation.trust import trust
from core.results.attribution import Attribution
from tests.core.explanation.evidence_models import Learned, accuracy, evidence_experiment, silent, trained_model

N_IMAGES = 48
CIRCLE = 0


@dataclass(frozen=True)
class Known:
    """A trained model, its data, and what methods compare with."""

    model: nn.Sequential
    splits: Splits
    behind: np.ndarray

    def accuracy(self, split: SplitName, only: int | None = None) -> float:
        part = split_named(self.splits, split)
        chosen = np.full(len(part), True) if only is None else part.y == only
        return accuracy(self.model, torch.from_numpy(self.splits.model_input(part.x[chosen])), torch.from_numpy(part.y[chosen]))

    def subject(self, split: SplitName, index: int) -> Subject:
        found = subject_of(self.model, self.splits, example(self.splits, split, index), self.behind, None)
        return replace(found, seed=index)


@cache
def known(learned: Learned) -> Known:
    experiment = evidence_experiment(learned)
    splits = experiment.data.splits(experiment.seed)
    return Known(trained_model(learned), splits, background(splits, 100, experiment.seed))


def explained(
    method: ExplainerChoice, learned: Learned, split: SplitName, indices: list[int]
) -> list[tuple[Subject, Attribution]]:
    subjects = [known(learned).subject(split, index) for index in indices]
    return [(subject, method.attribute(subject, silent)) for subject in subjects]


def test_the_model_has_learned_the_shape():
    assert known("shape").accuracy("test") >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("method", [IntegratedGradients(), LimeImage(), ShapSuperpixels()], ids=lambda method: method.kind)
def test_explanations_point_at_the_red_shape(method):
    pairs = explained(method, "shape", "test", list(range(N_IMAGES)))
    found = [localisation(result.values, subject.evidence) for subject, result in pairs]
    assert np.mean([one.pointing for one in found]) >= 0.95
    assert np.mean([one.mass for one in found]) >= 0.5
    assert np.mean([one.share for one in found]) < 0.06  # what chance would give for both


def test_signs_tell_more_mass_and_sizes_tell_the_whole_shape():
    """What the facts say of Integrated Gradients: pixels of the shape speak for the class and against it."""
    pairs = explained(IntegratedGradients(), "shape", "test", list(range(N_IMAGES)))
    sizes = [localisation(np.abs(result.values), subject.evidence) for subject, result in pairs]
    assert np.mean([one.pointing for one in sizes]) >= 0.95
    assert np.mean([one.roc_auc for one in sizes]) > 0.97


def test_the_other_model_has_learned_the_watermark_instead():
    assert known("watermark").accuracy("validation") >= 0.99
    assert known("watermark").accuracy("test", only=CIRCLE) < 0.1  # circles without a watermark
    assert known("watermark").accuracy("test") == pytest.approx(0.75, abs=0.02)


def test_integrated_gradients_find_the_watermark_that_the_model_cheats_with():
    circles = np.flatnonzero(split_named(known("watermark").splits, "validation").y == CIRCLE)[:N_IMAGES].tolist()
    rows, columns = MARK_AT
    mark = np.zeros((32, 32), bool)
    mark[rows.start - 1 : rows.stop + 1, columns.start - 1 : columns.stop + 1] = True  # a 3 × 3 kernel looks one pixel further
    pairs = explained(IntegratedGradients(), "watermark", "validation", circles)
    assert all(subject.target == CIRCLE for subject, _ in pairs)
    masses = np.array([localisation(result.values, mark).mass for _, result in pairs])
    assert masses.mean() > 0.8
    assert np.mean(masses > 0.8) > 0.95
    assert mark.mean() < 0.04


class Dice(ExplainerChoice):
    """A map of random numbers: what no verdict may call good."""

    label = "Dice"
    kind: Literal["dice"] = "dice"

    def attribute(self, subject, progress):
        values = np.random.default_rng(subject.seed).standard_normal(subject.x.shape[2:])
        return Evaluations(subject, progress, 1).drafted(self, values)


def verdicts(method: ExplainerChoice, n: int) -> list[str]:
    return [trust(known("shape").subject("test", index), method, (), silent).verdict for index in range(n)]


def test_a_random_map_is_called_no_better_than_random_and_a_right_one_is_not():
    by_dice, by_gradients = verdicts(Dice(), 20), verdicts(IntegratedGradients(), 20)
    assert by_dice.count("random") >= 18  # one in twenty looks better by chance
    assert by_dice.count("good") == 0
    assert by_gradients.count("random") == 0
    assert by_gradients.count("good") >= 18
