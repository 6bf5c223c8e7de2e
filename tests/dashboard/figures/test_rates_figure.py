"""Figures of learning rates, by their data."""

import json
from dataclasses import replace

import numpy as np
import pytest

from core.optim.schedules import Clock, Cosine, preview
from core.results.range_test import RangeTest
from core.results.sweep import Sweep
from dashboard.figures.rates import (
    alt_range_test,
    alt_schedule,
    alt_sweep,
    range_test_curve,
    schedule_curve,
    sweep_map,
)

NAN = float("nan")
RATES = np.geomspace(1e-7, 0.1, 60)
FOUND = RangeTest(
    lane="SGD <b>",
    rates=RATES,
    losses=np.concatenate([np.linspace(2, 1, 50), [1.0, 2, 4, 8, 16, 32, 64, 128, 256, 1e9]]),
    smoothed=np.concatenate([np.linspace(2, 1.1, 50), np.linspace(1, 5, 10)]),
    suggestion=1e-3,
    lowest=1e-2,
    diverged_at=0.12,
    sharpness=8.0,
    n_examples=100,
    limit=0.25,
    loss_unit="nats",
)
SWEEP = Sweep(
    names=("SGD", "Adam <i>", "RMSprop"),
    lanes=("{}", "{}", "{}"),
    rates=np.array([0.01, 0.1, 1.0]),
    losses=np.array([[[2.0, 2.2], [0.5, 0.7], [NAN, 1]], [[1, 1], [2, 2], [1e20, 1e20]], [[NAN] * 2] * 3], float),
    scores=np.full((3, 3, 2), 0.75),
    steps=100,
    loss_unit="nats",
    is_accuracy=True,
)


def names(figure):
    return [trace.name for trace in figure.data]


@pytest.mark.parametrize("dark", [False, True])
def test_the_curve_has_raw_and_smoothed_losses_and_the_named_rates(dark):
    figure = range_test_curve(FOUND, dark=dark)
    assert names(figure) == ["batch", "smoothed", "suggestion: 0.001", "stability limit: 0.25", "training broke: 0.12"]
    assert np.array_equal(figure.data[0].y, FOUND.losses)
    assert np.array_equal(figure.data[1].y, FOUND.smoothed)
    assert figure.data[2].x == (1e-3, 1e-3)
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.title.text == "learning rate"
    assert figure.layout.yaxis.title.text == "loss (nats)"
    assert "&lt;b>" in figure.layout.title.text


def test_losses_that_run_away_are_cut_off_above_the_start_and_the_end_is_in_view():
    figure = range_test_curve(FOUND)
    low, high = figure.layout.yaxis.range
    assert low < 1
    assert 2 < high < 5
    assert 10 ** figure.layout.xaxis.range[1] > 0.12


def test_rates_that_were_not_found_are_not_drawn():
    figure = range_test_curve(replace(FOUND, suggestion=NAN, limit=NAN, diverged_at=NAN))
    assert names(figure) == ["batch", "smoothed"]
    assert "No rate stands out" in alt_range_test(replace(FOUND, suggestion=NAN, limit=NAN, diverged_at=NAN))


def test_a_test_without_a_finite_loss_says_so():
    empty = replace(FOUND, rates=RATES[:0], losses=RATES[:0], smoothed=RATES[:0])
    assert "infinite" in range_test_curve(empty).layout.annotations[0].text
    assert alt_range_test(empty)


def test_the_range_test_in_a_sentence_names_its_rates():
    assert "suggestion 0.001; stability limit 0.25; training broke 0.12" in alt_range_test(FOUND)


def test_the_map_is_coloured_by_powers_of_ten_and_cut_off_above_the_start():
    figure = sweep_map(SWEEP)
    heights = np.array(figure.data[0].z, float)
    assert heights[0, 1] == pytest.approx(np.log10(0.6))
    assert np.isnan(heights[0, 2])
    assert 10 ** heights[1, 2] == pytest.approx(1.5 * 2.1)
    assert figure.layout.xaxis.ticktext == ("0.01", "0.1", "1")
    assert figure.layout.yaxis.ticktext == ("SGD", "Adam &lt;i>", "RMSprop")
    assert figure.layout.xaxis.title.text == "learning rate"


def test_the_map_marks_what_diverged_and_each_best_rate():
    diverged, best = sweep_map(SWEEP).data[1:]
    assert list(zip(diverged.y, diverged.x, strict=True)) == [(0, 2), (2, 0), (2, 1), (2, 2)]
    assert [round(place) for place in best.x] == [1, 0]
    assert [round(row) for row in best.y] == [0, 1]


def test_the_hover_says_loss_spread_and_score_and_the_cells_their_loss():
    figure = sweep_map(SWEEP)
    assert figure.data[0].text[0][1] == "SGD<br>learning rate 0.1<br>loss <b>0.6</b> ± 0.14<br>accuracy 75.0%"
    assert "diverged" in figure.data[1].hovertext[0]
    assert [note.text for note in figure.layout.annotations][:2] == ["2.1", "0.6"]
    assert "R² 0.750" in sweep_map(replace(SWEEP, is_accuracy=False)).data[0].text[0][0]


def test_a_sweep_in_which_all_diverged_is_said_in_words():
    lost = replace(SWEEP, losses=np.full((3, 3, 2), NAN))
    assert "diverged with every rate" in sweep_map(lost).layout.annotations[0].text


def test_the_sweep_in_sentences_names_the_best_rates():
    text = alt_sweep(SWEEP)
    assert "SGD: best rate 0.1, loss 0.6." in text
    assert "RMSprop diverged with every rate." in text


def test_a_loss_of_zero_has_a_colour():
    zero = replace(SWEEP, losses=np.zeros((3, 3, 2)))
    assert np.isfinite(np.array(sweep_map(zero).data[0].z, float)).all()


def test_the_schedule_is_drawn_over_steps_with_epochs_in_the_hover():
    steps, rates = preview(Cosine(), 0.1, Clock(4, 12))
    figure = schedule_curve(steps, rates, 4)
    assert figure.data[0].x.tolist() == list(range(1, 13))
    assert figure.data[0].customdata.tolist() == [1] * 4 + [2] * 4 + [3] * 4
    assert figure.layout.xaxis.title.text == "optimizer step"
    assert alt_schedule(steps, rates).startswith("Learning rate over 12 steps: it begins at 0.1, is at most 0.1")


@pytest.mark.parametrize("figure", [range_test_curve(FOUND), sweep_map(SWEEP)])
def test_figures_are_json(figure):
    json.loads(figure.to_json())
