"""A waterfall adds up."""

import itertools

import numpy as np
import pytest

from core.results.attribution import Attribution
from dashboard.figures import theme
from dashboard.figures.waterfall import alt_text, has_waterfall, waterfall_figure, waterfall_steps


def found(values, base=-1.5, missed=0.0, **facts) -> Attribution:
    values = np.asarray(values, float)
    return Attribution(
        **{
            "method": "shap_tabular", "label": "SHAP", "target": 1, "target_name": "benign", "unit": "logit",
            "values": values.astype(np.float32), "output": base + float(values.sum()) + missed, "probability": 0.9, "step": 3,
            "signed": True, "n_evaluations": 10, "seconds": 0.1, "input": np.zeros(len(values), np.float32), "base": base,
            "residual": -missed, "players": values, "feature_names": tuple(f"f{i}" for i in range(len(values))),
            "feature_values": np.arange(len(values), dtype=float),
        } | facts
    )  # fmt: skip


VALUES = np.random.default_rng(0).normal(size=25)


@pytest.mark.parametrize("top", [1, 3, 10, 25, 40])
@pytest.mark.parametrize("missed", [0.0, 1e-7, 0.4])
def test_the_bars_lead_from_the_base_to_the_output_without_a_gap(top, missed):
    one = found(VALUES, missed=missed)
    steps = waterfall_steps(one, top)
    assert steps[0].begin == one.base
    assert steps[-1].end == one.output
    assert all(before.end == after.begin for before, after in itertools.pairwise(steps))
    assert len(steps) == min(top, 25) + (top < 25) + (missed > 1e-3)


def test_the_largest_come_first_and_the_rest_is_one_bar_in_grey():
    one = found(VALUES)
    steps = waterfall_steps(one, 4)
    order = np.argsort(-np.abs(VALUES))
    assert [step.size for step in steps[:4]] == pytest.approx(VALUES[order[:4]])
    assert [step.name for step in steps] == [*(f"f{i} = {i}" for i in order[:4]), "21 others"]
    assert steps[4].size == pytest.approx(VALUES[order[4:]].sum())
    assert steps[4].colour == theme.OTHERS
    assert {step.colour for step in steps[:4]} <= {theme.POSITIVE, theme.NEGATIVE}


def test_what_the_sum_misses_is_a_bar_of_its_own():
    steps = waterfall_steps(found([1.0, 2.0], missed=0.5), 10)
    assert steps[-1].name == "missed by the method"
    assert steps[-1].size == pytest.approx(0.5)


@pytest.mark.parametrize("dark", [False, True])
def test_the_figure_draws_the_steps_with_their_errors_and_both_ends(dark):
    one = found(VALUES, stderr=np.full(25, 0.1))
    figure = waterfall_figure(one, top=3, dark=dark)
    bars = figure.data[0]
    assert list(bars.base) == [step.begin for step in waterfall_steps(one, 3)]
    assert list(bars.error_x.array) == [0.1, 0.1, 0.1, None]
    assert [shape.x0 for shape in figure.layout.shapes] == pytest.approx([one.base, one.output])
    texts = " ".join(note.text for note in figure.layout.annotations)
    assert f"base {one.base:.4g}" in texts
    assert f"output {one.output:.4g}" in texts
    assert figure.layout.xaxis.title.text == "benign, logit"
    assert f"{one.output:.4g}" in alt_text(one)


def test_padding_is_no_step_and_words_are_their_names():
    words = found([0.0, 0.0, 2.0, -1.0], input=np.array([0, 0, 7, 5]), feature_names=("", "", "<good>", "film"), players=None)
    assert [step.name for step in waterfall_steps(words, 10)] == ["&lt;good>", "film"]


def test_patches_of_an_image_have_numbers():
    image = found([3.0, -1.0], pixels=np.zeros((4, 4), np.uint8), segments=np.zeros((4, 4), np.int32))
    assert has_waterfall(image)
    assert [step.name for step in waterfall_steps(image, 10)] == ["patch 0", "patch 1"]


def test_lime_and_maps_of_pixels_have_none():
    assert has_waterfall(found([1.0]))
    assert not has_waterfall(found([1.0], residual=None, fit_r2=0.8))
    assert not has_waterfall(found([1.0], signed=False))
    assert not has_waterfall(found([1.0], pixels=np.zeros((4, 4), np.uint8), players=None))


def test_nothing_to_explain_is_an_empty_figure_with_both_ends():
    figure = waterfall_figure(found(np.zeros(2), base=1.0))
    assert [shape.x0 for shape in figure.layout.shapes] == [1.0, 1.0]
