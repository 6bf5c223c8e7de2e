"""Weights as pictures, histograms over moments, and lines per layer: every number at its place."""

import numpy as np
import pytest

from core.results.filters import Filters
from core.results.weight_statistics import WeightStatistics
from dashboard.figures import gradients as lines
from dashboard.figures import weight_histograms as heat
from dashboard.figures.filters import ALONE, View, alt_text, filters_figure, in_view, page_size

RANDOM = np.random.default_rng(0)


def filters_of(form, *shape, **more) -> Filters:
    weights = RANDOM.normal(size=shape).astype(np.float32)
    return Filters("Layer 1: weight", form, weights, shape[0], shape, 3, **({"is_of_input": True} | more))


def cells(figure) -> np.ndarray:
    """The weights that the hover tells, wherever there is a cell."""
    details = np.asarray(figure.data[0].customdata)
    return details[~np.isnan(np.asarray(figure.data[0].z, float))]


@pytest.mark.parametrize("scale", ["layer", "filter"])
@pytest.mark.parametrize("shape", [(5, 1, 3, 4), (20, 40, 3, 3)])
def test_every_tile_cell_tells_its_own_weight(scale, shape):
    found = filters_of("tiles", *shape)
    view = View(0, 0) if shape[1] == 1 else View(8, 16)
    figure = filters_figure(found, view, scale=scale)
    told = cells(figure)
    assert len(told) == in_view(found, view).size
    for filter_, channel, row, column, value in told[:: len(told) // 7]:
        assert value == pytest.approx(found.weights[int(filter_), int(channel), int(row), int(column)])
    reach = np.nanmax(np.abs(np.asarray(figure.data[0].z, float)))
    assert reach == pytest.approx(np.abs(in_view(found, view)).max() / np.abs(found.weights).max() if scale == "layer" else 1)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-1, 1)


def test_a_filter_in_colour_is_grey_at_zero_and_lightest_at_its_largest_weight():
    weights = np.zeros((2, 3, 2, 2), np.float32)
    weights[0, 0, 0, 0], weights[0, 2, 1, 1], weights[1, 1, 0, 1] = 2.0, -2.0, 0.1
    figure = filters_figure(Filters("a", "colour", weights, 2, weights.shape, 0, True), View())
    picture = np.asarray(figure.data[0].z)
    assert picture[0, 0].tolist() == [255, 128, 128, 255]
    assert picture[1, 1].tolist() == [128, 128, 0, 255]
    assert picture[0, 4].tolist() == [128, 255, 128, 255]
    assert picture[0, 2].tolist() == [0, 0, 0, 0]  # the gap is clear


def test_a_table_has_rows_of_outputs_and_named_columns():
    found = filters_of("matrix", 3, 2, input_names=("mass <g>", "age"))
    figure = filters_figure(found, View(), dark=True)
    assert figure.layout.xaxis.ticktext == ("mass &lt;g>", "age")
    assert np.allclose(np.asarray(figure.data[0].customdata)[..., 1].astype(float), found.weights)
    assert "outputs 1 to 3 of 3" in alt_text(found, View())


def test_pages_are_bounded():
    assert page_size(filters_of("tiles", 70, 1, 3, 3))[0] == ALONE
    assert len(in_view(filters_of("tiles", 70, 1, 3, 3), View(64))) == 6
    assert in_view(filters_of("tiles", 70, 99, 3, 3), View(64, 96)).shape == (6, 3, 3, 3)


def statistics(**changes) -> WeightStatistics:
    """Two layers, the second without weights, at three moments."""
    edges, counts = np.array([-2.0, -1.0, 0.0, 1.0]), np.array([[0, 3, 1], [1, 2, 1], [4, 0, 0]])
    log_edges = np.array([-2.0, -1.0, -0.25, 0.25, 1.0])
    nothing, none = np.zeros(2), np.zeros((3, 1), int)
    fields = {
        "steps": np.array([0, 10, 100]),
        "layers": ("Layer 1 Linear", "Layer 2 ReLU"),
        "paths": ((0,), (1,)),
        "edges": (edges, nothing, edges, nothing, edges, edges),
        "counts": (counts, none, counts, none, counts, counts),
        "log_edges": (log_edges, nothing, log_edges, nothing, log_edges, log_edges),
        "log_counts": tuple(none if at in (1, 3) else np.ones((3, 4), int) for at in range(6)),
        "gradient_norms": np.array([[1.0, 0.1, 0.0], [np.nan] * 3]),
        "weight_norms": np.array([[2.0, 4.0, 4.0], [np.nan] * 3]),
        "update_norms": np.array([[0.002, 0.04, np.nan], [np.nan] * 3]),
        "losses": np.ones(3),
        "rates": np.ones(3),
        "n_examples": 256,
        "optimizer": "SGD",
        "unit": "nats",
    }
    return WeightStatistics(**fields | changes)


def test_a_column_holds_the_shares_of_its_moment_and_what_is_empty_is_clear():
    figure = heat.histogram_figure(statistics(), "weights", 0, step=10)
    shares = np.asarray(figure.data[0].z, float) ** 2
    assert np.allclose(shares[:, 0], [np.nan, 0.75, 0.25], equal_nan=True)
    assert np.allclose(shares[:, 2], [1, np.nan, np.nan], equal_nan=True)
    assert list(figure.data[0].y) == [-2, -1, 0, 1]
    assert figure.layout.shapes[0].x0 == 1
    assert figure.layout.xaxis.ticktext == ("0", "10", "100")


@pytest.mark.parametrize(("step", "place"), [(0, 0), (55, 1.5), (100, 2), (5000, 2)])
def test_the_line_stands_at_the_moment_of_the_slider_or_between_its_neighbours(step, place):
    assert heat.histogram_figure(statistics(), "gradients", 0, step=step).layout.shapes[0].x0 == place


def test_a_logarithmic_axis_has_a_unit_per_octave_on_both_sides_of_a_linear_middle():
    edges = np.array([-4.0, -2.0, -0.5, 0.5, 1.0, 8.0])
    assert heat.log_places(edges).tolist() == [-4, -3, -1, 1, 2, 5]
    assert heat.log_places(np.array([0.25, 0.5, 1.0])).tolist() == [1, 2, 3]
    ticks = heat.log_ticks(np.array([-100.0, -0.01, 0.01, 1000.0]))
    assert "0" in ticks["ticktext"]
    for place, text in zip(ticks["tickvals"], ticks["ticktext"], strict=True):
        value = float(text)
        assert place == pytest.approx(np.sign(value) * (1 + np.log2(abs(value) / 0.01)) if value else 0)
    figure = heat.histogram_figure(statistics(), "activations", 1, step=0, axis="logarithmic", dark=True)
    assert len(figure.data[0].y) == 5


def test_words_say_how_far_values_reach():
    words = heat.alt_text(statistics(), "weights", 0)
    assert "within -1 … 1 after step 0" in words
    assert "within -2 … -1 after step 100" in words


def test_only_layers_with_weights_have_a_line_and_zero_has_no_place_on_a_logarithm():
    figure = lines.gradient_figure(statistics(), step=0)
    assert [trace.name for trace in figure.data] == ["Layer 1 Linear"]
    assert np.allclose(figure.data[0].y, [1.0, 0.1, np.nan], equal_nan=True)
    assert figure.layout.yaxis.type == "log"


def test_ratios_are_updates_over_weights_beside_the_rule_of_thumb():
    figure = lines.ratio_figure(statistics(), step=0)
    assert np.allclose(figure.data[0].y, [0.001, 0.01, np.nan], equal_nan=True)
    assert set(figure.data[1].y) == {lines.RULE_OF_THUMB}
    assert "Layer 1 Linear 0.01" in lines.alt_text(statistics(), is_ratio=True)
