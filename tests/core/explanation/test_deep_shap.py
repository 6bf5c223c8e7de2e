"""DeepSHAP is exact where it is offered, and refuses in words where shap would be silently wrong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from core.data.dataset import DataProfile
from core.errors import NotApplicable
from core.explanation.deep_shap import DeepShap
from core.explanation.gradient import background_rows
from core.explanation.heads import in_own_unit, with_two_logits
from core.explanation.shap_method import ShapTabular
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec, build
from core.spec import choices
from tests.core.explanation.conftest import IMAGES, TABLE, TEXTS, small_cnn
from tests.core.samples import linear, stack

ASKED = [{}, {"contrast": 2}, {"in_probability": True}, {"contrast": 0, "in_probability": True}]
CONV = ("Conv2d", {"out_channels": 4, "padding": 1})
EXACT: dict[str, ModelSpec] = {
    "pooled": stack(CONV, "BatchNorm2d", "ReLU", "MaxPool2d", CONV, "LeakyReLU", "AvgPool2d", "Flatten", "Dropout", linear(3)),
    "smooth": stack(CONV, "GELU", ("AdaptiveAvgPool2d", {"output_size": 3}), "Tanh", "Dropout2d", "Flatten", linear(3)),
    "sigmoid": stack(CONV, "ELU", "GlobalAvgPool", linear(8), "BatchNorm1d", "Sigmoid", linear(3)),
    "enlarged": stack(("ConvTranspose2d", {"out_channels": 2}), "ReLU", "Upsample", "GlobalAvgPool", linear(3)),
    "reshaped": stack("Flatten", linear(16), "ReLU", ("Reshape", {"channels": 1}), CONV, "ReLU", "Flatten", linear(3)),
    "skips": stack(CONV, ("Residual", {"layers": stack(CONV, "ReLU", CONV).layers}), "ReLU", "Flatten", linear(3)),
    "branches": stack(("Parallel", {"branches": (stack(CONV, "ReLU").layers, stack(CONV).layers)}), "Flatten", linear(3)),
    "softmax": stack(CONV, "ReLU", "Flatten", linear(3), "Softmax"),
    "log-softmax": stack(CONV, "ReLU", "Flatten", linear(3), "LogSoftmax"),
}


def silent(done: int, total: int) -> None:
    pass


def adds_up(found, subject, n_background=20, tolerance=1e-4):
    with torch.no_grad():
        rows = background_rows(subject, n_background)
        base = subject.answers(subject.module(rows).double()).mean()
        output = subject.answers(subject.module(subject.x).double())[0]
    assert found.base == pytest.approx(float(base), abs=1e-5)
    assert found.output == pytest.approx(float(output), abs=1e-5)
    assert found.values.sum(dtype=float) == pytest.approx(float(output - base), abs=tolerance)
    assert abs(found.residual) < tolerance


@pytest.mark.parametrize("changes", ASKED, ids=str)
@pytest.mark.parametrize("name", EXACT)
def test_values_add_up_on_every_layer_for_which_it_is_offered(name, changes, image_subject):
    kinds = tuple(layer.kind for layer in EXACT[name].layers)
    assert DeepShap().reason_against(IMAGES, kinds) is None
    model = build(EXACT[name], (1, 12, 12), 0)
    model.train()(torch.rand(32, 1, 12, 12))  # statistics for the batch norms
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)  # so that something changes
    subject = replace(image_subject(model, side=12), **changes)
    reports = []
    found = DeepShap().attribute(subject, lambda done, total: reports.append((done, total)))
    adds_up(found, subject)
    # A probability near 0 or 1 hardly changes at all; a logit does.
    assert np.abs(found.values).max() > (0 if subject.in_probability else 1e-5)
    assert {total for _, total in reports} == {found.n_evaluations}
    assert found.signed


def test_every_kind_that_is_offered_is_tried_above():
    from core.explanation.deep_support import KINDS

    tried = {layer.kind for spec in EXACT.values() for layer in spec.layers}
    offered = {cls.kind_name() for cls in choices(AnyLayer)} & set(KINDS)
    assert offered <= tried


@pytest.mark.parametrize("n_background", [2, 20, 60])
def test_of_a_linear_model_it_is_weight_times_distance_from_the_mean(n_background, row_subject):
    model = nn.Sequential(nn.Linear(6, 3))
    subject = row_subject(model)
    found = DeepShap(n_background=n_background).attribute(subject, silent)
    distance = (subject.x - background_rows(subject, n_background).mean(0))[0].numpy()
    assert np.allclose(found.values, model[0].weight[1].detach().numpy() * distance, atol=1e-5)


def test_where_features_do_not_meet_it_is_the_exact_shapley_value(row_subject):
    """One unit for each feature: the sum of bends of single features, whose Shapley values are the bends themselves."""
    model = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 3))
    with torch.no_grad():
        model[0].weight.copy_(torch.diag(torch.tensor([1.0, -2.0, 0.5, 3.0, 1.5])))
    subject = row_subject(model, n_features=5)
    deep, exact = (explainer(n_background=20).attribute(subject, silent) for explainer in (DeepShap, ShapTabular))
    assert np.allclose(deep.values, exact.values, atol=1e-5)
    assert deep.base == pytest.approx(exact.base, abs=1e-5)


def test_numbers_and_one_output_for_two_classes_are_explained_too(row_subject):
    number = replace(row_subject(in_own_unit(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1)), 10.0, 5.0)))
    number = replace(number, target=0, class_names=("price",), task="regression")
    adds_up(DeepShap().attribute(number, silent), number)
    both = row_subject(with_two_logits(nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1), nn.Sigmoid())))
    adds_up(DeepShap().attribute(replace(both, in_probability=True), silent), replace(both, in_probability=True))


def test_a_class_held_against_another_is_the_difference_of_both(image_subject):
    one = image_subject(channels=3)
    two = replace(one, target=2)
    both = DeepShap().attribute(replace(one, contrast=2), silent).values
    first, second = DeepShap().attribute(one, silent).values, DeepShap().attribute(two, silent).values
    assert np.allclose(both, first - second, atol=1e-6)


UNOFFERED = ["PReLU", "SiLU", "Mish", "LayerNorm", "GroupNorm", "LSTM", "GRU", "RNN", "SelfAttention", "TransformerEncoder"]


@pytest.mark.parametrize("kind", [*UNOFFERED, "Embedding", "PatchEmbed", "Backbone", "Conv1d", "PoolTime"])
def test_kinds_of_layers_without_an_exact_rule_are_named_before_anything_runs(kind):
    reason = DeepShap().reason_against(IMAGES, ("Conv2d", kind, "Flatten", "Linear"))
    assert kind in reason
    assert "expected gradients" in reason
    assert DeepShap().reason_against(TABLE, ("Linear", "ReLU", "Linear")) is None
    assert "word" in DeepShap().reason_against(TEXTS, ("Embedding",))


class Functional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.inner(x))


class OwnLeaf(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * x


ONE = nn.ReLU()
REFUSED = {
    "a function of its own": (Functional(), "does things of its own"),
    "a module of its own": (nn.Sequential(OwnLeaf(), nn.Linear(6, 3)), "OwnLeaf"),
    "a module used twice": (nn.Sequential(nn.Linear(6, 6), ONE, nn.Linear(6, 6), ONE, nn.Linear(6, 3)), "more than once"),
    "SiLU": (nn.Sequential(nn.Linear(6, 6), nn.SiLU(), nn.Linear(6, 3)), "SiLU"),
    "LayerNorm": (nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6), nn.Linear(6, 3)), "LayerNorm"),
    "softmax inside": (nn.Sequential(nn.Linear(6, 6), nn.Softmax(1), nn.Linear(6, 3)), "Softmax"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_modules_without_an_exact_rule_are_refused_in_words(name, row_subject):
    module, words = REFUSED[name]
    with pytest.raises(NotApplicable, match=words):
        DeepShap().attribute(row_subject(module), silent)


@pytest.mark.parametrize(
    ("settings", "is_exact"), [((2, 2, 0), True), ((2, 3, 0), True), ((3, 2, 1), False), ((2, 1, 0), False)]
)
def test_overlapping_max_pools_are_refused_since_shap_does_not_warn_of_them(settings, is_exact, image_subject):
    pool = nn.MaxPool2d(settings[0], settings[1], settings[2])
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), pool, nn.Flatten(), nn.LazyLinear(3))
    model(torch.rand(1, 1, 12, 12))
    subject = image_subject(model, side=12)
    if is_exact:
        adds_up(DeepShap().attribute(subject, silent), subject)
        return
    with pytest.raises(NotApplicable, match="overlap"):
        DeepShap().attribute(subject, silent)


def test_values_that_do_not_add_up_are_never_shown(row_subject, monkeypatch):
    monkeypatch.setattr("core.explanation.deep_shap.reason_against_module", lambda module, x: None)
    model = nn.Sequential(nn.Linear(6, 6), ONE, nn.Linear(6, 6), ONE, nn.Linear(6, 3))
    with pytest.raises(NotApplicable, match="miss the change"):
        DeepShap().attribute(row_subject(model), silent)


def test_a_failure_in_the_middle_leaves_the_model_without_hooks(image_subject):
    subject = image_subject(small_cnn(1, 28))
    before = list(subject.module.state_dict())

    def stop(done: int, total: int) -> None:
        if done > 25:
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        DeepShap(n_background=20).attribute(subject, stop)
    assert not any(layer._forward_hooks or layer._backward_hooks for layer in subject.module.modules())
    with torch.no_grad():
        subject.module(subject.x)
    assert list(subject.module.state_dict()) == before


def test_profiles_decide_by_their_layers_alone():
    for profile in (IMAGES, TABLE, DataProfile("points", (2,), ("a", "b"), 9, 9, 9)):
        assert DeepShap().reason_against(profile, ("Linear", "Tanh", "Linear")) is None
