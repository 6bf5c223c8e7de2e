"""Contours, surface and lines show the losses as they are, on named axes; cliffs do not swallow the valley."""

import numpy as np
import pytest

from core.results.landscape import LossLine, LossSurface
from dashboard.figures import theme
from dashboard.figures.landscape import (
    clip_at,
    heights,
    line_alt,
    line_figure,
    surface_alt,
    surface_figure,
    surface_solid,
    ticks,
)
from dashboard.figures.shared_plane import shared_plane_figure, shared_plane_solid
from tests.dashboard.figures.test_shared_plane_figure import PLANE

SURFACE = LossSurface(
    axis=np.array([-1.0, 0.0, 1.0]),
    loss=np.array([[100.0, 10.0, 1.0], [1.0, 0.1, 2.0], [np.nan, 1.0, 1e6]]),
    score=np.array([[0.1, 0.2, 0.3], [0.8, 0.9, 0.7], [np.nan, 0.5, 0.4]]),
    ring=np.full(16, 0.6),
    radius=0.5,
    is_classification=True,
    step=120,
    seed=4,
    split="train",
    n_examples=256,
    n_parameters=1234,
    n_filters=26,
    angle=90.0,
    lengths=(3.0, 3.0),
    unit="nats",
    is_recomputed=True,
)
AT = np.linspace(-1, 1, 5)
LINE = LossLine(
    kind="random",
    at=AT,
    train_loss=np.array([4.0, 1.0, 0.0, 1.0, np.inf]),
    validation_loss=np.array([5.0, 2.0, 1.0, 2.0, 5.0]),
    train_score=np.array([-3.0, 0.5, 1.0, 0.5, np.nan]),
    validation_score=np.array([-4.0, 0.0, 0.5, 0.0, -4.0]),
    is_classification=False,
    step=7,
    seed=0,
    length=2.0,
    n_train=256,
    n_validation=100,
    n_parameters=10,
    n_moved=8,
    unit="squared error",
    is_recomputed=False,
)
WAY = LossLine(
    kind="from_start",
    at=np.array([-0.5, 0, 0.5, 1.0, 1.5]),
    train_loss=np.array([1.0, 0.7, 2.0, 0.1, 0.5]),
    validation_loss=np.array([1.0, 0.8, 2.0, 0.2, 0.5]),
    train_score=np.array([0.3, 0.5, 0.4, 1.0, 0.9]),
    validation_score=np.array([0.3, 0.5, 0.4, 0.9, 0.8]),
    is_classification=True,
    step=1200,
    seed=0,
    length=9.0,
    n_train=256,
    n_validation=100,
    n_parameters=10,
    n_moved=10,
    unit="nats",
    is_recomputed=False,
)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("draw", [surface_figure, surface_solid])
def test_a_plane_has_its_losses_accuracies_and_the_middle(draw, dark):
    figure = draw(SURFACE, dark=dark)
    plane = figure.data[0]
    np.testing.assert_allclose(np.asarray(plane.z)[0], [2, 1, 0])
    assert np.isnan(np.asarray(plane.z)[2][0])
    np.testing.assert_allclose(np.asarray(plane.customdata)[1, 1], [0.1, 0.9])
    for words in ("filter norms along direction 1", "filter norms along direction 2", "loss", "accuracy"):
        assert words in plane.hovertemplate
    assert figure.data[-1].name == "the weights after step 120"
    assert not any(figure.data[-1].x)
    assert not any(figure.data[-1].y)


def test_the_pin_at_the_weights_stands_on_the_surface_and_is_seen():
    for scale in ("log", "clipped"):
        figure = surface_solid(SURFACE, scale=scale)
        foot, head = figure.data[1].z
        assert foot == np.asarray(figure.data[0].z)[1, 1]
        assert head > np.nanmax(figure.data[0].z)  # a pin that no cliff hides


def test_axes_are_named_with_units():
    flat, solid = surface_figure(SURFACE).layout, surface_solid(SURFACE).layout.scene
    assert "direction 1, in filter norms" in flat.xaxis.title.text
    assert "direction 2, in filter norms" in flat.yaxis.title.text
    assert solid.xaxis.title.text == "direction 1 (filter norms)"
    assert solid.zaxis.title.text == "loss, nats"
    assert "0.1 nats in the middle" in surface_alt(SURFACE)


def test_a_clipped_scale_ends_above_the_median_and_says_so():
    loss = np.array([0.0, 1.0, 2.0, 3.0, 1e9, np.nan, np.inf])
    assert clip_at(loss) == 4
    np.testing.assert_allclose(heights(loss, "clipped")[:5], [0, 1, 2, 3, 4])
    assert ticks(loss, "clipped")["ticktext"][-1] == "≥ 4"
    assert clip_at(np.array([1.0, 2.0, 2.5])) == 2.5
    assert ticks(np.array([1.0, 2.0, 2.5]), "clipped")["ticktext"][-1] == "2.5"
    assert clip_at(np.full(3, np.nan)) == 1
    assert ticks(np.full(3, np.nan), "log")["ticktext"]


def test_ticks_of_a_log_scale_are_written_as_losses():
    assert ticks(np.array([0.1, 1.0, 1e4]), "log")["ticktext"] == ["0.1", "1", "10", "100", "1e+03", "1e+04"]


@pytest.mark.parametrize("scale", ["log", "clipped"])
@pytest.mark.parametrize("line", [LINE, WAY], ids=["numbers", "classes"])
def test_a_line_has_loss_and_score_of_both_splits(line, scale):
    figure = line_figure(line, scale=scale)
    curves = [trace for trace in figure.data if trace.mode == "lines"]
    assert [curve.name for curve in curves] == ["training", "training", "validation", "validation"]
    np.testing.assert_allclose(curves[0].customdata, line.train_loss)
    np.testing.assert_allclose(curves[3].y, line.validation_score)
    assert {curves[0].line.dash, curves[2].line.dash} == {"solid", "dash"}
    assert curves[0].line.color == theme.categorical(False)[0]
    assert figure.layout.yaxis.type == ("log" if scale == "log" else None)
    assert figure.layout.yaxis.title.text == f"loss, {line.unit}"
    assert np.isfinite(curves[0].y[2])


def test_a_line_marks_the_weights_that_are_known():
    assert [note.text for note in line_figure(LINE).layout.annotations] == ["the weights after step 7"]
    assert [note.text for note in line_figure(WAY).layout.annotations] == ["initial weights", "step 1,200"]
    assert "share of the way" in line_figure(WAY).layout.xaxis2.title.text
    assert "filter norms" in line_figure(LINE).layout.xaxis2.title.text
    assert "0.1 on training" in line_alt(WAY)


@pytest.mark.parametrize("draw", [shared_plane_figure, shared_plane_solid])
@pytest.mark.parametrize(("step", "places"), [(0, 2), (7, 2), (99, 2)])
def test_the_moment_is_marked_on_every_way(draw, step, places):
    mark = draw(PLANE, step=step).data[-1]
    assert mark.name == f"at step {step}"
    assert len(mark.x) == places
    assert mark.customdata[0][0] == {0: 0, 7: 5, 99: 10}[step]


def test_a_lane_that_has_not_begun_has_no_mark():
    assert len(shared_plane_figure(PLANE, step=-1).data[-1].x) == 0


def test_ways_in_three_dimensions_are_as_high_as_their_own_losses():
    lines = [trace for trace in shared_plane_solid(PLANE).data if trace.name in PLANE.labels]
    np.testing.assert_allclose(lines[0].z, np.log10(PLANE.path_losses[0]))
    assert [line.line.color for line in lines] == [theme.categorical(False)[0], theme.categorical(False)[2]]
