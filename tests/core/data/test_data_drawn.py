"""Points drawn by hand: usable at once, checked, and refused in words while there are too few."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.drawn import MAX_DRAWN, DrawnPoints
from core.errors import SpecError
from core.spec import parse_json

POINTS = st.lists(st.tuples(st.integers(-600, 600), st.integers(-600, 600), st.integers(0, 1)), max_size=60).map(tuple)


def row(n, label, y=0):
    return tuple((100 * i - 500, y, label) for i in range(n))


def test_the_default_can_be_trained_on_at_once():
    choice = DrawnPoints()
    assert choice.reason_against() is None
    splits = choice.splits(0)
    assert np.bincount(np.concatenate([splits.train.y, splits.validation.y, splits.test.y])).tolist() == [12, 12]


def test_points_lie_where_they_were_drawn():
    drawn = ((-600, 250, 1), (0, 5, 0), *row(8, 0, 100), *row(8, 1, -100))
    points, labels = DrawnPoints(drawn=drawn).points(0)
    np.testing.assert_allclose(points[:2], [[-6, 2.5], [0, 0.05]], rtol=1e-6)
    np.testing.assert_array_equal(labels, [label for *_, label in drawn])
    assert points.dtype == np.float32
    shown = DrawnPoints(drawn=drawn).plane(3)
    assert {tuple(point) for point in shown.points} <= {tuple(point) for point in points}


@given(POINTS)
@settings(max_examples=60, deadline=None)
def test_whatever_is_drawn_has_a_profile_and_loads_or_says_why_not(drawn):
    choice = DrawnPoints(drawn=drawn)
    profile = choice.profile()
    n_places = len({point[:2] for point in drawn})
    assert profile.n_train + profile.n_validation + profile.n_test == n_places
    if choice.reason_against():
        with pytest.raises(SpecError) as caught:
            choice.splits(0)
        assert caught.value.hint
    else:
        splits = choice.splits(0)
        assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [
            profile.n_train,
            profile.n_validation,
            profile.n_test,
        ]
        assert min(profile.n_train, profile.n_validation, profile.n_test) > 0
        rows = {point.tobytes() for part in (splits.train, splits.validation, splits.test) for point in part.x}
        assert len(rows) == n_places


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"drawn": ()}, "There are 0 points, and training needs at least 8"),
        ({"drawn": (*row(4, 0), *row(3, 1, 200))}, "There are 7 points"),
        ({"drawn": (*row(9, 0), (0, 300, 1))}, "1 points of class 1, and training needs at least 2"),
        ({"drawn": row(9, 1)}, "0 points of class 0"),
        (
            {"drawn": (*row(5, 0), *row(5, 1, 200)), "train_share": 0.9, "validation_share": 0.05},
            "none of the 10 points is left for the validation split",
        ),
    ],
)
def test_too_few_points_are_counted(changes, told):
    choice = DrawnPoints(**changes)
    assert told in choice.reason_against()
    with pytest.raises(SpecError, match=told):
        choice.splits(0)


def test_eight_points_are_enough():
    assert DrawnPoints(drawn=(*row(6, 0), *row(2, 1, 200))).splits(0).profile.n_train == 4


def test_a_point_over_another_takes_its_place():
    below, above = (*row(5, 0), *row(5, 1, 200)), ((-500, 0, 1),)
    choice = DrawnPoints(drawn=below + above)
    points, labels = choice.points(0)
    assert len(points) == choice.how_many() == 10
    assert labels[0] == 1


@pytest.mark.parametrize("point", [[601, 0, 0], [0, -601, 0], [0, 0, 2], [0.5, 0, 0], [0, 0], [0, 0, True]])
def test_a_link_with_a_point_that_cannot_be_is_refused(point):
    with pytest.raises(SpecError, match="drawn"):
        parse_json(DrawnPoints, json.dumps({"kind": "drawn", "drawn": [point]}))


def test_no_more_points_than_fit_into_a_link():
    many = tuple((i % 1201 - 600, i // 1201, i % 2) for i in range(MAX_DRAWN + 1))
    assert DrawnPoints(drawn=many[:-1]).how_many() == MAX_DRAWN
    with pytest.raises(SpecError, match="at most 400"):
        DrawnPoints().but(drawn=many)


def test_points_travel_as_text_and_no_form_shows_them():
    choice = DrawnPoints(drawn=((1, 2, 0), (3, 4, 1)), features=("x1_x2",))
    assert parse_json(DrawnPoints, choice.model_dump_json()) == choice
    assert "drawn" not in DrawnPoints.knobs()
    assert "features" in DrawnPoints.knobs()
