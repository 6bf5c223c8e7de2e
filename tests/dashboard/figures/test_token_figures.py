"""Figures of texts by their data: words in order, padding apart, colours that can be read."""

from dataclasses import replace

import numpy as np
import pytest

from core.results.attention import AttentionMaps
from core.results.attribution import Attribution
from core.results.hidden_states import Reading
from dashboard.figures import attention, theme
from dashboard.figures.hidden_states import norm_line, reading_alt_text, reading_figure, state_heatmap
from dashboard.figures.token_axis import MAX_NAMES, token_axis
from dashboard.figures.token_bars import alt_text, token_bars
from dashboard.figures.token_strip import contrast, pale, signed_colours, unsigned_colours, veils


def maps(steps=("", "", "a", "b", "a"), heads=2, is_text=True) -> AttentionMaps:
    rng = np.random.default_rng(0)
    weights = rng.random((heads, len(steps), len(steps))).astype(np.float32)
    weights /= weights.sum(-1, keepdims=True)
    return AttentionMaps("3 SelfAttention", 2, weights, steps, is_text, 10, 0.0)


def explanation(**changes) -> Attribution:
    values = np.array([0, 0.5, -2.0, 0.1, 0.7], np.float32)
    fields = {
        "method": "shap_text", "label": "SHAP", "target": 1, "target_name": "positive", "unit": "logit", "values": values,
        "output": 1.0, "probability": 0.7, "step": 3, "signed": True, "n_evaluations": 16, "seconds": 0.1,
        "input": np.array([0, 5, 6, 1, 5]), "feature_names": ("", "good", "not", "<unknown>", "good"),
    }  # fmt: skip
    return Attribution(**(fields | changes))


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_symmetric_about_zero_and_ink_can_be_read_on_all_of_them(dark):
    values = np.linspace(-1, 1, 41)
    pairs = signed_colours(values, 1.0, dark)
    assert min(contrast(background, ink) for background, ink in pairs) >= 4.5
    strongest = [colour for _, colour in (theme.diverging(dark)[0], theme.diverging(dark)[-1])]
    assert contrast(pairs[0][0], strongest[0]) == pytest.approx(1, abs=1e-6)
    assert contrast(pairs[-1][0], strongest[1]) == pytest.approx(1, abs=1e-6)
    assert signed_colours(np.array([3.0]), 1.0, dark) == [pairs[-1]]
    assert signed_colours(np.zeros(1), 0.0, dark) == [pairs[20]]


def test_unsigned_colours_can_be_read_too_and_where_much_is_there_is_no_veil():
    pairs = unsigned_colours(np.linspace(0, 1, 21), 1.0)
    assert min(contrast(background, ink) for background, ink in pairs) >= 4.5
    nothing, everything = veils(np.array([0.0, 2.0]), 2.0)
    assert nothing.endswith(",0.85)")
    assert everything.endswith(",0)")
    assert pale(np.array([[0, 255]], np.uint8)).tolist() == [[89, 255]]


def test_contrast_of_black_and_white_is_21():
    assert contrast("#000000", "rgb(255,255,255)") == pytest.approx(21)


def test_bars_have_a_name_for_each_place_and_no_padding():
    figure = token_bars(explanation(stderr=np.array([0, 0.1, 0.2, 0.3, 0.4])), top=3)
    (bars,) = figure.data
    assert list(bars.x) == pytest.approx([-2.0, 0.7, 0.5, 0.1])
    assert list(bars.customdata) == ["not", "good (4)", "good (1)", "1 other"]
    assert list(bars.error_x.array) == [0.2, 0.4, 0.1, None]
    assert bars.marker.color[0] == theme.NEGATIVE
    assert "logit" in figure.layout.xaxis.title.text
    assert "not -2" in alt_text(explanation())


def test_attention_sums_padding_in_one_column_and_its_rows_still_sum_to_one():
    shown = maps()
    figure = attention.attention_heatmap(shown, head=1, query=3)
    z = np.array(figure.data[0].z)
    assert z.shape == (3, 4)
    assert z.sum(1) == pytest.approx(np.ones(3), abs=1e-6)
    assert z[:, 0] == pytest.approx(shown.weights[1, 2:, :2].sum(1), abs=1e-6)
    assert list(figure.layout.xaxis.ticktext) == ["(padding)", "a", "b", "a"]
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (0.5, 1.5)


def test_attention_of_all_heads_is_their_mean_and_patches_have_no_padding():
    shown = maps(steps=("class token", "row 1, column 1", "row 1, column 2"), is_text=False)
    figure = attention.attention_heatmap(shown, head=None)
    assert np.allclose(figure.data[0].z, shown.weights.mean(0))
    assert not figure.layout.shapes
    assert list(figure.layout.xaxis.ticktext) == ["class token", "row 1, column 1", "row 1, column 2"]
    on_grid = attention.attention_heatmap(replace(shown, rows=1, columns=2, n_before=1), head=None)
    assert list(on_grid.layout.xaxis.ticktext) == ["class token", "1, 1", "1, 2"]
    assert "row, column" in on_grid.layout.xaxis.title.text
    strongest = shown.steps[int(shown.weights.mean((0, 1)).argmax())]
    assert strongest in attention.alt_text(shown, None, None)


@pytest.mark.parametrize("n_units", [1, 7, 300])
def test_states_are_units_by_steps_in_the_order_that_is_asked_for(n_units):
    values = np.random.default_rng(0).normal(size=(5, n_units)).astype(np.float32)
    order = np.arange(n_units)[::-1]
    figure = state_heatmap(values, ("", "a", "b", "a", "c"), order, "token")
    (map_,) = figure.data
    assert np.allclose(map_.z, values[:, order].T)
    assert map_.zmin == -map_.zmax
    assert list(figure.layout.xaxis.ticktext) == ["(padding)", "a", "b", "a", "c"]
    assert map_.customdata[0][1].tolist() == ["a", n_units - 1]


def test_a_very_large_map_of_states_carries_no_name_for_each_cell():
    assert state_heatmap(np.zeros((300, 100)), ("a",) * 300, np.arange(100), "token").data[0].customdata is None


def test_states_that_are_never_negative_have_a_scale_from_zero():
    assert state_heatmap(np.ones((3, 2)), ("a", "b", "c"), np.arange(2), "token").data[0].zmin == 0
    assert list(norm_line(np.array([1.0, 2.0]), ("a", "b"), "token").data[0].y) == [1.0, 2.0]


def test_reading_has_one_line_per_class_from_nothing_to_the_whole_text():
    reading = Reading(("a", "b"), np.array([[0.5, 0.5], [0.4, 0.6], [0.1, 0.9]]), np.zeros(0), ("no", "yes"), 1, 3)
    figure = reading_figure(reading)
    assert [line.name for line in figure.data] == ["no", "yes"]
    assert list(figure.data[1].y) == [0.5, 0.6, 0.9]
    assert list(figure.layout.xaxis.ticktext) == ["(nothing)", "a", "b"]
    assert "“b”" in reading_alt_text(reading)
    many = Reading(("a",), np.eye(2, 9), np.zeros(0), tuple("abcdefghi"), 1, 3)
    assert len(reading_figure(many).data) == 6


def test_reading_of_a_number_is_one_line_in_its_unit():
    reading = Reading(("a",), np.zeros((2, 0)), np.array([1.0, 4.0]), (), -1, 3, "stars")
    figure = reading_figure(reading)
    assert list(figure.data[0].y) == [1.0, 4.0]
    assert figure.layout.yaxis.title.text == "stars"
    assert "4 after the last" in reading_alt_text(reading)


def test_of_many_steps_only_some_are_named():
    axis = token_axis([f"w{i}" for i in range(300)], "token")
    assert len(axis["tickvals"]) <= MAX_NAMES
    assert axis["ticktext"][1] == f"w{axis['tickvals'][1]}"
    assert token_axis([" ", "a" * 100], "token")["ticktext"] == ["␣", "a" * 17 + "…"]


def test_tokens_in_angle_brackets_are_no_markup_of_plotly():
    unknown, shown = "<unknown>", "&lt;unknown>"
    assert token_axis(("a", unknown), "token")["ticktext"] == ["a", shown]
    assert shown in token_bars(explanation()).layout.yaxis.ticktext
    reading = Reading((unknown,), np.array([[0.5, 0.5], [0.3, 0.7]]), np.zeros(0), ("<b>", "b"), 1, 3)
    line = reading_figure(reading).data[0]
    assert (line.customdata[1], line.name) == (shown, "&lt;b>")
