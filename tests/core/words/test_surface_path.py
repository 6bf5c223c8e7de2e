"""Paths over a surface, and the table of them."""

import csv
import io

import numpy as np

from core.results.codec import load_result, result_bytes
from core.results.surface_path import COLUMNS, SurfacePaths, path_table

NAN = np.nan
PATHS = SurfacePaths(
    labels=("SGD, lr 0.1", "Adam"),
    start=(1.0, 2.0),
    positions=np.array([[[1.0, 2.0], [0.1 + 0.2, -1.5], [0.25, 0.5]], [[1.0, 2.0], [3.0, 4.0], [NAN, NAN]]]),
    values=np.array([[5.0, 1 / 3, 0.125], [5.0, 25.0, NAN]]),
    gradients=np.array([[[7.0, 35.0], [0.5, -20.0]], [[2.0, 4.0], [NAN, NAN]]]),
    momenta=np.array([[[NAN, NAN], [NAN, NAN]], [[0.2, 0.4], [NAN, NAN]]]),
    rates=np.array([[0.1, 0.1], [1.0, NAN]]),
    n_evaluations=np.array([2, 2]),
    n_done=np.array([2, 1]),
    notes=("", "Diverged."),
)


def test_steps_are_what_was_added_to_the_position():
    np.testing.assert_allclose(PATHS.steps[0], [[0.3 - 1, -3.5], [0.25 - 0.3, 2.0]])
    assert np.isnan(PATHS.steps[1, 1]).all()
    assert PATHS.n_steps == 2


def test_the_table_has_a_row_for_each_step_done_in_full_precision():
    rows = list(csv.DictReader(io.StringIO(path_table(PATHS))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["lane"], row["step"]) for row in rows] == [
        ("SGD, lr 0.1", "0"), ("SGD, lr 0.1", "1"), ("SGD, lr 0.1", "2"), ("Adam", "0"), ("Adam", "1"),
    ]  # fmt: skip
    assert float(rows[1]["x"]) == 0.1 + 0.2
    assert float(rows[1]["loss"]) == 1 / 3
    assert (rows[0]["momentum_x"], rows[3]["momentum_y"]) == ("", "0.4")
    assert (rows[2]["gradient_x"], rows[2]["learning_rate"]) == ("", "")


def test_paths_come_back_from_their_file():
    again = load_result(SurfacePaths, result_bytes(PATHS))
    np.testing.assert_array_equal(again.positions, PATHS.positions)
    assert (again.labels, again.start, again.notes) == (PATHS.labels, PATHS.start, PATHS.notes)
