"""The contours are the logarithm of the loss; every lane keeps its colour and dash, and shows its ends."""

from dataclasses import replace

import numpy as np
import pytest

from core.results.shared_plane import SharedPlane
from dashboard.figures.shared_plane import DASHES, alt_text, lane_style, log_loss, shared_plane_figure
from dashboard.figures.theme import categorical

PATH = np.array([[-1.0, 0.0], [0.0, 0.5], [1.0, 1.0]])
PLANE = SharedPlane(
    x=np.linspace(-2, 2, 3),
    y=np.linspace(-1, 1, 3),
    loss=np.array([[100.0, 10.0, 1.0], [1.0, 0.1, np.inf], [np.nan, 1.0, 10.0]]),
    explained=np.array([0.8, 0.15]),
    labels=("SGD", "Adam"),
    lanes=(0, 2),
    paths=(PATH, PATH[:2]),
    steps=(np.array([0, 5, 10]), np.array([0, 5])),
    path_losses=(np.array([1.0, 0.5, 0.25]), np.array([1.0, 0.125])),
    distances=(np.zeros(3), np.array([0.0, 0.1])),
    n_examples=256,
    n_parameters=1234,
    unit="nats",
    is_recomputed=False,
)


def test_contours_are_the_logarithm_with_gaps_where_there_is_no_loss():
    figure = shared_plane_figure(PLANE)
    np.testing.assert_allclose(figure.data[0].z[0], [2, 1, 0])
    assert np.isnan(figure.data[0].z[1][2])
    assert np.isnan(figure.data[0].z[2][0])


def test_a_loss_of_zero_has_a_colour_too():
    assert np.isfinite(log_loss(replace(PLANE, loss=np.array([[0.0, 1.0], [1.0, 2.0]])))).all()
    assert np.isfinite(log_loss(replace(PLANE, loss=np.zeros((2, 2))))).all()


@pytest.mark.parametrize("dark", [False, True])
def test_lanes_keep_colour_and_dash_and_mark_their_ends(dark):
    lines = [trace for trace in shared_plane_figure(PLANE, dark=dark).data if trace.name in PLANE.labels]
    assert [line.line.color for line in lines] == [categorical(dark)[0], categorical(dark)[2]]
    assert [line.line.dash for line in lines] == [DASHES[0], DASHES[2]]
    assert lines[0].marker.symbol == ("circle-open", "circle", "star")
    assert lines[1].marker.symbol == ("circle-open", "star")
    np.testing.assert_allclose(lines[0].x, PATH[:, 0])


def test_thirty_two_lanes_are_all_told_apart():
    assert len({tuple(lane_style(lane, dark=False).items()) for lane in range(32)}) == 32


def test_axes_say_what_they_explain_and_the_alternative_text_where_lanes_end():
    figure = shared_plane_figure(PLANE)
    assert "80.0%" in figure.layout.xaxis.title.text
    assert "15.0%" in figure.layout.yaxis.title.text
    assert "95%" in alt_text(PLANE)
    assert "SGD: 0.25, Adam: 0.125" in alt_text(PLANE)


def test_a_lane_with_one_checkpoint_is_a_ring():
    alone = replace(
        PLANE, paths=(PATH, PATH[:1]), steps=(PLANE.steps[0], np.array([0])), path_losses=(PLANE.path_losses[0], np.ones(1)),
        distances=(np.zeros(3), np.zeros(1)),
    )  # fmt: skip
    assert shared_plane_figure(alone).data[-1].marker.symbol == ("circle-open",)
