"""Explaining one output for two classes, numbers in their own unit, and inputs that a preparation has made."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.data.dataset import DataProfile
from core.data.gallery import background, example
from core.data.preparation import Preparation
from core.data.tabular import BreastCancer, Diabetes
from core.explanation.heads import in_own_unit, with_two_logits
from core.explanation.integrated import IntegratedGradients
from core.explanation.lime_method import LimeTabular
from core.explanation.menu import AnyExplainer
from core.explanation.prepared import feature_values, subject_of
from core.explanation.shap_method import ShapTabular
from core.spec import choices

TEXTS = DataProfile("sequence", (14,), ("bad", "good"), 10, 10, 10, n_tokens=90)
NUMBERS = DataProfile("tabular", (10,), (), 10, 10, 10, task="regression", target_name="progression")
TABULAR = [IntegratedGradients(), ShapTabular(n_background=20), LimeTabular(n_samples=500)]


def silent(done: int, total: int) -> None:
    pass


def kinds(explainers):
    return [e.kind for e in explainers]


def test_a_method_that_cannot_explain_texts_says_why():
    reasons = [cls().reason_against(TEXTS, ("Embedding", "LSTM", "Linear")) for cls in choices(AnyExplainer)]
    assert any(reasons)
    assert all(reason is None or reason.endswith(".") for reason in reasons)


def test_the_methods_for_tables_explain_numbers_too():
    fitting = [cls().kind for cls in choices(AnyExplainer) if cls().reason_against(NUMBERS, ("Linear",)) is None]
    assert set(kinds(TABULAR)) <= set(fitting)


@pytest.mark.parametrize("end", [None, nn.Sigmoid()])
def test_both_logits_have_the_softmax_that_is_the_sigmoid_of_the_one(end):
    one = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1), *([end] if end else []))
    both = with_two_logits(one)
    x = torch.randn(9, 4)
    z = one[:3](x)
    assert both(x).shape == (9, 2)
    assert torch.allclose(both(x).softmax(1)[:, 1:], z.sigmoid(), atol=1e-6)
    assert list(dict(both.named_children())) == ["0", "1", "2", "3"]


def test_a_prediction_is_given_in_its_own_unit():
    model = nn.Sequential(nn.Linear(4, 1))
    x = torch.randn(5, 4)
    assert torch.allclose(in_own_unit(model, 152.0, 77.0)(x), model(x) * 77 + 152)


@pytest.mark.parametrize("explainer", TABULAR, ids=kinds(TABULAR))
@pytest.mark.parametrize("target", [None, 0, 1])
def test_one_output_for_two_classes_can_be_explained_for_both(explainer, target):
    splits = BreastCancer().splits(0)
    model = nn.Sequential(nn.Linear(30, 1))
    shown = example(splits, "validation", 3)
    subject = subject_of(model, splits, shown, background(splits, 60, 0), target)
    with torch.no_grad():
        z = float(model(torch.from_numpy(shown.x)))
    chosen = int(z > 0) if target is None else target
    found = explainer.attribute(subject, silent)
    assert (found.target, found.target_name) == (chosen, splits.profile.class_names[chosen])
    assert found.output == pytest.approx(z if chosen else 0.0, abs=1e-5)
    assert found.probability == pytest.approx(1 / (1 + np.exp(-z if chosen else z)), abs=1e-5)
    if chosen and explainer.kind == "shap_tabular":  # of a linear model: weight times distance from the background
        weight = model[0].weight[0].detach().numpy()
        rows = np.linspace(0, 59, 20).round().astype(int)
        distance = shown.x[0] - subject.background.numpy()[rows].mean(0)
        assert np.allclose(found.values, weight * distance, atol=1e-4)


@pytest.mark.parametrize("explainer", TABULAR, ids=kinds(TABULAR))
def test_numbers_are_explained_in_the_unit_of_the_target(explainer):
    splits = Diabetes().splits(0)
    assert splits.target_scale > 10  # the model predicts in standard deviations
    model = nn.Sequential(nn.Linear(10, 1))
    shown = example(splits, "validation", 5)
    subject = subject_of(model, splits, shown, background(splits, 60, 0), None)
    found = explainer.attribute(subject, silent)
    with torch.no_grad():
        predicted = float(model(torch.from_numpy(shown.x))) * splits.target_scale + splits.target_shift
    assert found.output == pytest.approx(predicted, rel=1e-5)
    assert (found.target, found.target_name, found.unit) == (0, splits.profile.target_name, splits.profile.target_name)
    assert np.isnan(found.probability)
    if explainer.kind == "integrated_gradients":
        distance = shown.x[0] - subject.background.mean(0).numpy()
        expected = model[0].weight[0].detach().numpy() * distance * splits.target_scale
        assert np.allclose(found.values, expected, atol=1e-3)
        assert found.base + found.values.sum() == pytest.approx(found.output, abs=1e-2)


def test_columns_are_shown_with_the_values_that_they_had():
    splits = BreastCancer().splits(0)
    shown = example(splits, "validation", 2)
    row = splits.validation.x[2]
    assert np.allclose(feature_values(splits, shown), row, rtol=1e-4)
    assert np.allclose(feature_values(splits, replace(shown, raw=None)), row, rtol=1e-3, atol=1e-4)


def test_components_are_shown_as_themselves_and_named():
    splits = BreastCancer(preparation=Preparation(scaling="standardise", pca=4)).splits(0)
    shown = example(splits, "validation", 2)
    assert np.allclose(feature_values(splits, shown), shown.x[0], atol=1e-6)
    subject = subject_of(nn.Sequential(nn.Linear(4, 2)), splits, shown, background(splits, 40, 0), None)
    found = ShapTabular(n_background=10).attribute(subject, silent)
    assert found.feature_names == ("PC 1", "PC 2", "PC 3", "PC 4")
    assert found.feature_values.shape == (4,)
