"""Figures of errors, slices and robustness, by their data."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from core.results.confusion import ConfusionOverTime
from core.results.robustness import Robustness
from core.results.slices import Slices
from dashboard.figures import theme
from dashboard.figures.confusion import alt_cell, alt_confusion, cell_curve, confusion_figure, ramp, signed_ramp
from dashboard.figures.robustness import alt_robustness, robustness_figure
from dashboard.figures.slices import alt_slices, slices_figure

NAMES = ("cat", "<b>dog</b>")
LABELS, PREDICTED = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1, 0])
COUNTS = confusion_matrix(LABELS, PREDICTED)
TIME = ConfusionOverTime("test", np.array([0, 9]), np.stack([COUNTS[:, ::-1], COUNTS]), NAMES, 6, 6, 2)
SLICES = Slices(
    "test", 3, ("class", "age"), ("cat", "1 to 2"), np.array([40, 5]), np.array([0.5, 0.8]), np.array([0.4, 0.3]),
    np.array([0.6, 0.99]), np.array([0.01, 0.5]), np.array([0.02, 0.5]), (np.arange(40), np.arange(5)), 0.7, 45,
)  # fmt: skip
ROBUST = Robustness(
    "test", 3, "Blur", "pixels", np.array([0.0, 1.0]), np.array([0.9, 0.4]), np.array([0.8, 0.3]), np.array([0.95, 0.5]),
    np.array([1.0, 0.5]), 50, 60,
)  # fmt: skip


@pytest.mark.parametrize("by", ["counts", "true", "predicted"])
def test_the_matrix_shows_counts_or_sklearns_shares_with_named_axes(by):
    figure = confusion_figure(COUNTS, NAMES, by)
    normalize = {"counts": None, "true": "true", "predicted": "pred"}[by]
    np.testing.assert_allclose(figure.data[0].z, confusion_matrix(LABELS, PREDICTED, normalize=normalize))
    assert figure.layout.xaxis.ticktext == ("cat", "&lt;b>dog&lt;/b>")
    assert "predicted" in figure.layout.xaxis.title.text
    assert "4 of 6" in alt_confusion(COUNTS, NAMES)


def test_the_curve_of_a_cell_is_its_share_of_the_true_class():
    figure = cell_curve(TIME, (0, 1))
    np.testing.assert_allclose(figure.data[0].y, [0.75, 0.25])
    np.testing.assert_allclose(figure.data[1].y, [0.25, 0.75])
    assert len(cell_curve(TIME, (0, 0)).data) == 1
    assert "75.0% of the examples at step 0, 25.0% at step 9" in alt_cell(TIME, (0, 1))


def test_many_moments_lie_on_a_logarithmic_axis_and_few_do_not():
    steps = np.array([0, 1, 3, 10, 30, 100])
    many = replace(TIME, steps=steps, counts=np.stack([COUNTS] * 6))
    assert cell_curve(many, (0, 1)).layout.xaxis.type == "log"
    assert "logarithmic" in cell_curve(many, (0, 1)).layout.xaxis.title.text
    assert cell_curve(TIME, (0, 1)).layout.xaxis.title.text == "step"


@pytest.mark.parametrize("dark", [False, True])
def test_colours_come_from_the_theme(dark):
    known = [colour for _at, colour in theme.diverging(dark)]
    assert list(signed_ramp(dark)) == known
    assert list(ramp(dark)) == known[3::-1]


def test_a_small_slice_is_a_ring_and_its_interval_is_drawn():
    figure = slices_figure(SLICES, [0, 1])
    dots = figure.data[0]
    assert list(dots.marker.symbol) == ["circle", "circle-open"]
    np.testing.assert_allclose(dots.error_x.array, [0.1, 0.19])
    np.testing.assert_allclose(dots.error_x.arrayminus, [0.1, 0.5])
    assert figure.layout.shapes[0].x0 == 0.7
    low, high = figure.layout.xaxis.range
    assert 0.2 < low < 0.3
    assert high > 1
    assert "cat" in alt_slices(SLICES, [0, 1])
    assert alt_slices(SLICES, []) == "No slices."


def test_the_score_has_its_interval_as_a_band_and_its_unit_on_the_axis():
    figure = robustness_figure(ROBUST)
    band, score, kept = figure.data
    np.testing.assert_allclose(band.y, [0.95, 0.5, 0.3, 0.8])
    np.testing.assert_allclose(score.y, ROBUST.score)
    np.testing.assert_allclose(kept.y, ROBUST.kept)
    assert figure.layout.xaxis.title.text == "Blur (pixels)"
    assert "0.9 undisturbed to 0.4 at 1 pixels" in alt_robustness(ROBUST)
