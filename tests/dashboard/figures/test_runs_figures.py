"""Many runs in one picture: what is drawn, by its data."""

import numpy as np
import pytest

from core.results.codec import load_result, result_bytes
from core.results.run_curves import RunCurves
from dashboard.figures import theme
from dashboard.figures.parallel_coordinates import Column, alt_parallel, parallel_figure
from dashboard.figures.runs_overlay import MOST_NAMED, MOST_POINTS, Axes, alt_overlay, overlay_figure
from dashboard.figures.runs_scatter import Dots, alt_scatter, scatter_figure

HOSTILE = "<img src=x onerror=alert(1)>"
AXES = Axes("step", "training loss")


def curves(n: int, points: int = 20, groups: int = 0) -> RunCurves:
    x = tuple(np.arange(1.0, points + 1) for _ in range(n))
    y = tuple(np.linspace(1 + k, k, points) for k in range(n))
    names = tuple(HOSTILE if k == 0 else f"run {k}" for k in range(n))
    group = tuple(f"group {k % groups}" if groups else "" for k in range(n))
    return RunCurves(tuple(f"{k:032x}" for k in range(n)), names, group, "step", "batch_loss", x, y)


def test_a_few_runs_are_lines_of_their_own_told_apart_by_colour_and_dash():
    figure = overlay_figure(curves(MOST_NAMED), AXES)
    styles = {(trace.line.color, trace.line.dash) for trace in figure.data}
    assert len(styles) == len(figure.data) == MOST_NAMED
    np.testing.assert_allclose(figure.data[3].y, np.linspace(4, 3, 20))
    assert "<img" not in figure.to_json()
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("step", "training loss")


def test_many_runs_share_the_colour_of_their_group_and_a_dot_says_each_name():
    figure = overlay_figure(curves(100, groups=4), AXES, dark=True)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    assert [line.name for line in lines] == [f"group {k} (25 runs)" for k in range(4)]
    assert not any(line.showlegend for line in lines)  # faint: the dots stand in the legend
    assert [dot.name for dot in dots] == [line.name for line in lines]
    assert len({line.line.color for line in lines}) == 4
    assert sum(len(dot.x) for dot in dots) == 100
    assert {name for dot in dots for name in dot.customdata} >= {"run 1", "run 99"}
    first = np.asarray(lines[1].y)
    assert np.isnan(first).sum() == 25  # a gap after each run
    np.testing.assert_allclose(first[:20], np.linspace(2, 1, 20))
    assert "<img" not in figure.to_json()


def test_more_groups_than_colours_leave_the_smallest_ones_grey():
    figure = overlay_figure(curves(40, groups=10), AXES)
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(lines) == len(theme.CATEGORICAL)
    assert lines[-1].line.color == theme.OTHERS
    assert "others" in lines[-1].name


def test_a_thousand_runs_of_a_thousand_points_are_thinned_to_what_a_screen_can_show():
    figure = overlay_figure(curves(1000, 1000, groups=3), Axes("step", "loss", log_x=True))
    drawn = sum(len(trace.x) for trace in figure.data if trace.mode == "lines")
    assert 10_000 < drawn <= MOST_POINTS + 1000
    assert figure.layout.xaxis.type == "log"
    few = overlay_figure(curves(2, 1000), AXES)
    assert len(few.data[0].x) == 1000


def test_the_overlay_in_words_and_in_a_file():
    shown = curves(3)
    words = alt_overlay(shown, AXES)
    assert "3 runs" in words
    assert f"from 0 ({HOSTILE}) to 2 (run 2)" in words
    assert alt_overlay(curves(0), AXES) == "training loss of 0 runs by step."
    back = load_result(RunCurves, result_bytes(shown))
    assert back.names == shown.names
    np.testing.assert_array_equal(back.y[2], shown.y[2])


LR = Column("Learning rate", (0.1, 0.001, 0.00001))
NAMES = Column("Optimizer", ("SGD", HOSTILE, "SGD"))
LOSS = Column("Loss", (0.5, 0.25, 0.75))


def test_parallel_axes_are_logarithmic_where_values_spread_and_have_names_where_they_are_texts():
    figure = parallel_figure([LR, NAMES, Column("Same", (3.0, 3.0, 3.0))], LOSS)
    rate, name, same = figure.data[0].dimensions
    np.testing.assert_allclose(rate["values"], [-1, -3, -5])
    assert list(rate.ticktext) == ["1e-05", "0.0001", "0.001", "0.01", "0.1"]
    assert list(name["values"]) == [1, 0, 1]
    assert name.ticktext[1] == "SGD"
    assert same.range == (2.0, 4.0)
    assert list(figure.data[0].line.color) == [0.5, 0.25, 0.75]
    assert "<img" not in figure.to_json()
    assert alt_parallel([LR, NAMES], LOSS) == "3 runs as lines through Learning rate, Optimizer, coloured by Loss."


@pytest.mark.parametrize(("column", "is_wide"), [(LR, True), (LOSS, False), (NAMES, False), (Column("z", (0.0, 1e9)), False)])
def test_only_positive_numbers_over_many_powers_of_ten_are_wide(column, is_wide):
    assert column.is_wide == is_wide


def dots(colour: Column | None = None) -> Dots:
    return Dots(("a", "b", "c"), (HOSTILE, "second", "third"), LR, LOSS, colour)


def test_dots_lie_where_their_values_are_and_say_their_names():
    figure = scatter_figure(dots(), log_x=True)
    (trace,) = figure.data
    assert list(zip(trace.x, trace.y, strict=True)) == [(0.1, 0.5), (0.001, 0.25), (0.00001, 0.75)]
    assert [point[0] for point in trace.customdata] == ["a", "b", "c"]
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "linear")
    assert "<img" not in figure.to_json()
    words = alt_scatter(dots())
    assert words.startswith("3 runs: Loss against Learning rate.")
    assert "Lowest 0.25 (second), highest 0.75 (third)." in words


def test_a_third_value_is_a_scale_for_numbers_and_colour_with_form_for_texts():
    scale = scatter_figure(dots(LOSS)).data[0].marker
    assert list(scale.color) == [0.5, 0.25, 0.75]
    assert scale.colorbar.title.text == "Loss"
    by_name = scatter_figure(dots(NAMES)).data
    assert [len(trace.x) for trace in by_name] == [2, 1]
    assert len({(trace.marker.color, trace.marker.symbol) for trace in by_name}) == 2
    many = Column("Name", tuple(f"n{k}" for k in range(9)))
    wide = Dots(tuple("abcdefghi"), tuple("abcdefghi"), Column("x", (1.0,) * 9), Column("y", (1.0,) * 9), many)
    assert [trace.name for trace in scatter_figure(wide).data][-1] == "others"
    assert scatter_figure(Dots(("a",), ("a",), NAMES, LOSS)).layout.xaxis.type == "category"
