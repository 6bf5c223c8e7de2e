"""Curves of an explanation stand before those of random orders, on named axes."""

from dataclasses import replace

import numpy as np
import pytest

from core.results.trust import Trust
from dashboard.figures import theme
from dashboard.figures.trust import alt_curves, trust_curves

SHARES = np.array([0.0, 0.5, 1.0])
TRUST = Trust(
    method="integrated_gradients",
    label="Integrated Gradients",
    target_name="circle",
    unit="logit",
    step=100,
    signed=True,
    verdict="good",
    doubts=(),
    fill="mean colour of the training images",
    part="pixel",
    n_parts=49,
    shares=SHARES,
    deletion=np.array([4.0, 1.0, 0.0]),
    insertion=np.array([0.0, 3.0, 4.0]),
    random_deletion=np.array([[4.0, 1.5, 0.0], [4.0, 2.5, 0.0]]),
    random_insertion=np.array([[0.0, 2.5, 4.0], [0.0, 1.5, 4.0]]),
    gap=1.0,
    random_gaps=np.array([0.5, -0.5, -0.5, 0.5]),
    chance=0.024,
    residual=0.001,
    residual_share=0.0002,
    fit_r2=None,
    top_k=102,
    seeds=(),
    stability_overlap=(),
    stability_spearman=(),
    n_layers=4,
    layers_reset=(1, 2, 4),
    reset_spearman=(0.1, 0.2, 0.0),
    others=("SHAP", "Occlusion"),
    others_overlap=(0.5, 0.4),
    others_spearman=(0.7, 0.5),
    pointing=True,
    mass=0.8,
    rank_accuracy=0.6,
    roc_auc=0.7,
    evidence_share=0.05,
    n_evaluations=2000,
    seconds=0.4,
)


@pytest.mark.parametrize("dark", [False, True])
def test_both_curves_stand_out_from_random_orders_by_colour_and_dash(dark):
    figure = trust_curves(TRUST, dark=dark)
    by_name = {trace.name: trace for trace in figure.data if trace.showlegend is None}
    own = [by_name["hidden in this order"], by_name["shown in this order"]]
    assert [trace.line.color for trace in own] == list(theme.categorical(dark)[:2])
    assert own[0].line.dash != own[1].line.dash
    np.testing.assert_allclose(own[0].y, TRUST.deletion)
    np.testing.assert_allclose(own[1].y, TRUST.insertion)
    assert {by_name["hidden at random"].line.color, by_name["shown at random"].line.color} == {theme.OTHERS}
    np.testing.assert_allclose(by_name["hidden at random"].y, [4, 2, 0])


def test_bands_hold_all_random_orders():
    bands = [trace for trace in trust_curves(TRUST).data if trace.fill == "toself"]
    assert len(bands) == 2
    for band, curves in zip(bands, (TRUST.random_deletion, TRUST.random_insertion), strict=True):
        np.testing.assert_allclose(band.y[:3], curves.max(0))
        np.testing.assert_allclose(band.y[3:], curves.min(0)[::-1])


def test_axes_are_named_with_the_unit_and_names_of_classes_format_nothing():
    figure = trust_curves(replace(TRUST, target_name="<b>circle</b>"))
    assert "logit" in figure.layout.yaxis.title.text
    assert "<b>" not in figure.layout.yaxis.title.text
    assert "share" in figure.layout.xaxis.title.text


def test_the_alternative_text_has_the_mean_output_of_each_curve():
    text = alt_curves(TRUST)
    for number in ("1.5 logit", "at random 2", "2.5"):
        assert number in text
