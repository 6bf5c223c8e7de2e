"""Which methods are compared, and on what common footing."""

from dataclasses import replace

import numpy as np
import pytest

from core.explanation.agreement import COMPARED, companions, comparable
from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.explanation.segments import grid
from core.spec import choices
from tests.core.explanation.evidence_models import attribution_of

METHODS: list[ExplainerChoice] = [cls() for cls in choices(AnyExplainer)]
TEXT = ("shap_text", "layer_integrated_gradients")


@pytest.mark.parametrize("method", METHODS, ids=[one.kind for one in METHODS])
def test_a_method_is_compared_with_others_and_never_with_itself(method):
    found = companions(method, METHODS)
    assert len(found) == COMPARED
    assert method.kind not in [one.kind for one in found]


def test_the_others_take_the_same_baseline():
    method = next(one for one in METHODS if one.kind == "integrated_gradients").but(baseline="black")
    with_baseline = [one for one in companions(method, METHODS) if "baseline" in type(one).model_fields]
    assert all(one.baseline == "black" for one in with_baseline)


@pytest.mark.parametrize(
    ("hidden", "others"),
    [
        ("removed", {"shap_text": "removed", "layer_integrated_gradients": "padding"}),
        ("unknown", dict.fromkeys(TEXT, "unknown")),
    ],
)
def test_the_others_hide_words_in_the_same_way(hidden, others):
    fitting = [one for one in METHODS if one.kind in (*TEXT, "lime_text")]
    method = next(one for one in METHODS if one.kind == "lime_text").but(hidden=hidden)
    assert {one.kind: one.hidden for one in companions(method, fitting)} == others


def test_where_one_method_applies_there_is_nothing_to_compare():
    assert companions(METHODS[0], METHODS[:1]) == ()


def test_pixels_are_compared_with_patches_by_their_means(image_subject):
    subject, rng = image_subject(), np.random.default_rng(0)
    segments = rng.permutation(np.arange(28 * 28) % 9).reshape(28, 28)
    players, pixels = rng.standard_normal(9), rng.standard_normal((28, 28))
    patches = attribution_of(subject, players[segments], segments=segments, players=players)
    a, b = comparable(patches, attribution_of(subject, pixels), np.arange(784))
    assert a == pytest.approx(players, rel=1e-5)
    assert b == pytest.approx([pixels[segments == i].mean() for i in range(9)], rel=1e-5)


def test_two_maps_of_pixels_are_compared_on_a_grid(image_subject):
    subject, pixels = image_subject(), np.random.default_rng(0).standard_normal((28, 28))
    a, _ = comparable(attribution_of(subject, pixels), attribution_of(subject, pixels), np.arange(784))
    cells = grid((28, 28), 49)
    assert a == pytest.approx([pixels[cells == i].mean() for i in range(49)], rel=1e-4, abs=1e-6)


def test_sizes_are_compared_where_one_has_no_signs(row_subject):
    subject = row_subject()
    signed, unsigned = attribution_of(subject, np.array([-3.0, 1, 2, 0, 0, 0])), attribution_of(subject, np.arange(6.0))
    a, b = comparable(signed, replace(unsigned, signed=False), np.arange(6))
    assert a.tolist() == [3, 1, 2, 0, 0, 0]
    assert b.tolist() == [0, 1, 2, 3, 4, 5]


def test_padding_is_not_compared(row_subject):
    found = attribution_of(row_subject(), np.arange(6.0))
    assert comparable(found, found, np.array([0, 2]))[0].tolist() == [0, 2]
