"""Charts of folds, costs and models side by side, by their data."""

import math
from dataclasses import replace

import numpy as np
import pytest

from core.results.cross_validation import CrossValidation
from core.results.prediction import Prediction
from dashboard.figures import theme
from dashboard.figures.folds import alt_folds, fold_bands
from dashboard.figures.run_cost import alt_cost, cost_scatter
from dashboard.figures.side_by_side import alt_side_by_side, leading, side_by_side

RNG = np.random.default_rng(0)


def found(lanes=2, k=3, epochs=4, **changes):
    curves = RNG.random((lanes, k, epochs))
    facts = {
        "k": k, "seed": 0, "lanes": tuple(f"lane {i}" for i in range(lanes)), "class_names": ("a", "b"), "loss_unit": "nats",
        "epochs": np.arange(1, epochs + 1), "train_loss": curves, "validation_loss": curves, "validation_score": curves,
        "last_loss": RNG.random((lanes, k)), "last_score": RNG.random((lanes, k)), "fold_of": np.arange(9) % k,
        "labels": np.zeros(9, np.int64), "predicted": np.zeros((lanes, 9), np.int64), "targets": np.full(9, np.nan),
        "values": np.full((lanes, 9), np.nan), "n_train": np.full(k, 6), "n_held_out": np.full(k, 3), "steps": np.full(k, 8),
        "seconds": np.full(k, 0.1),
    }  # fmt: skip
    return CrossValidation(**(facts | changes))


def says(classes, label=1, value=None):
    shares = np.array(classes, np.float32)
    return Prediction(tuple(f"c{i}" for i in range(len(shares))), shares, label, 5, value, "height")


@pytest.mark.parametrize("dark", [False, True])
def test_each_lane_has_its_folds_their_mean_and_a_band_of_one_deviation(dark):
    given = found()
    drawing = fold_bands(given, "validation_loss", dark=dark)
    for lane in range(2):
        band, *thin, mean = drawing.data[lane * 5 : lane * 5 + 5]
        curves = given.validation_loss[lane]
        assert [tuple(one.y) for one in thin] == [tuple(curve) for curve in curves]
        assert mean.y == pytest.approx(curves.mean(0))
        assert band.y == pytest.approx(
            [*(curves.mean(0) + curves.std(0, ddof=1)), *(curves.mean(0) - curves.std(0, ddof=1))[::-1]]
        )
        assert mean.line.color == band.fillcolor == thin[0].line.color == theme.categorical(dark)[lane]
    assert drawing.layout.yaxis.title.text == "held-out loss (nats)"
    assert drawing.layout.xaxis.title.text == "epoch"


def test_many_lanes_are_told_apart_by_dashes_and_have_no_thin_lines():
    drawing = fold_bands(found(lanes=8, k=10))
    means = [trace for trace in drawing.data if trace.showlegend is None]
    assert len({(one.line.color, one.line.dash) for one in means}) == 8
    assert len(drawing.data) == 16


def test_without_an_epoch_it_says_why_and_what_diverged_leaves_a_gap():
    assert "No epoch" in fold_bands(found(epochs=0)).layout.annotations[0].text
    lost = found(epochs=0)
    assert "diverged" in fold_bands(replace(lost, last_loss=lost.last_loss * np.nan)).layout.annotations[0].text
    curves = np.full((2, 3, 4), np.nan)
    curves[0] = 0.5
    given = found(validation_score=curves)
    assert "lane 0: mean from 0.5 to 0.5" in alt_folds(given)
    assert "lane 1" not in alt_folds(given)
    assert len(fold_bands(given).data) == 10


def test_costs_far_apart_lie_on_a_logarithmic_axis_and_runs_without_a_score_are_left_out():
    drawing = cost_scatter(["small", "large", "new"], [10, 1e6, 50], [0.8, 0.9, math.nan], what="parameters", score="accuracy")
    assert [(one.name, one.x[0], one.y[0]) for one in drawing.data] == [("small", 10, 0.8), ("large", 1e6, 0.9)]
    assert drawing.layout.xaxis.type == "log"
    assert cost_scatter(["a", "b"], [1, 2], [0.1, 0.2], what="x", score="y").layout.xaxis.type == "linear"
    shares = [cost_scatter(["a"], [1], [0.5], what="x", score=name).layout.yaxis.tickformat for name in ("accuracy", "R²")]
    assert shares == [".1%", None]
    assert "No run has told" in cost_scatter(["a"], [1], [math.nan], what="x", score="y").layout.annotations[0].text
    assert alt_cost(["a"], [1], [0.5], what="parameters", score="accuracy") == "accuracy against parameters. a: 1, 0.5."


def test_models_side_by_side_share_their_classes_and_mark_the_right_one():
    pair = [says([0.7, 0.2, 0.1]), says([0.1, 0.8, 0.1])]
    drawing = side_by_side(pair, ["one", "<b>two"])
    assert [tuple(np.round(bar.x, 3)) for bar in drawing.data] == [(0.7, 0.2, 0.1), (0.1, 0.8, 0.1)]
    assert drawing.layout.yaxis.ticktext == ("c0", "c1 ✓", "c2")
    assert drawing.layout.annotations[1].text == "&lt;b>two"
    names = ["a1b2c3 · a name of thirty letters"] * 6
    assert side_by_side(pair, names[:2]).layout.annotations[0].text == names[0]
    assert side_by_side(pair * 3, names).layout.annotations[0].text.endswith("…")
    assert alt_side_by_side(pair, ["one", "two"]) == "one: c0 (70.0%); two: c1 (80.0%)."


def test_of_many_classes_the_likely_ones_and_the_right_one_are_shown():
    shares = np.full(30, 0.0)
    shares[:12] = np.linspace(0.2, 0.05, 12)
    assert leading([says(shares, label=29)]) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 29]


def test_numbers_side_by_side_are_bars():
    drawing = side_by_side([says([], -1, 2.5), says([], -1, -1.0)], ["one", "two"])
    assert drawing.data[0].x == (2.5, -1.0)
    assert drawing.layout.xaxis.title.text == "height"
