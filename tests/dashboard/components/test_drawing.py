"""What comes back from the pads is checked like anything from a stranger; what goes into the drawing is right."""

import base64

import pytest

from core.models.layers.activation import ReLU
from core.models.layers.containers import Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec, infer
from dashboard.components.digit_pad import MAX_CHARACTERS, PNG, PREFIX, picture_sent
from dashboard.components.network import MAX_NEURONS, columns
from dashboard.components.point_pad import MAX_POINTS, points_sent


def sent(data: bytes) -> str:
    return PREFIX + base64.b64encode(data).decode()


def test_a_png_comes_through_as_its_bytes():
    assert picture_sent(sent(PNG + b"rest")) == PNG + b"rest"


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    "stranger",
    [None, 7, "", "data:text/html,hello", PREFIX + "!!", sent(b"GIF89a"), sent(PNG + bytes(MAX_CHARACTERS)), [sent(PNG)]],
)
def test_anything_else_is_no_picture(stranger):
    assert picture_sent(stranger) is None


def test_points_are_rounded_and_kept_on_the_plane():
    assert points_sent([[1.4, -2.6, 0], [9999, -9999, 1], [0, 0, 7]]) == ((1, -3, 0), (600, -600, 1), (0, 0, 0))


@pytest.mark.fault(129)
@pytest.mark.parametrize(
    "stranger",
    [
        None,
        {},
        "x",
        [[1, 2]],
        [[1, 2, 3, 4]],
        [["1", 2, 0]],
        [[True, 2, 0]],
        [[float("nan"), 0, 0]],
        [[0, 0, 0]] * (MAX_POINTS + 1),
    ],
)
def test_anything_else_is_no_list_of_points(stranger):
    assert points_sent(stranger) is None


def drawn(*layers, shape=(2,), **names):
    model = ModelSpec(layers=layers)
    return columns(model, infer(model, shape), **names)


def test_a_small_mlp_is_drawn_as_a_column_for_the_input_and_each_linear_layer():
    found = drawn(Linear(out_features=8), ReLU(), Linear(out_features=3), inputs=("a", "b"), outputs=("x", "y", "z"))
    assert [(column["path"], column["n"], column["after"]) for column in found] == [([], 2, ""), ([0], 8, "ReLU"), ([2], 3, "")]
    assert (found[0]["names"], found[-1]["names"]) == (["a", "b"], ["x", "y", "z"])


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ((), (2,)),
        ((Linear(out_features=MAX_NEURONS + 1), ReLU(), Linear(out_features=2)), (2,)),
        ((Linear(out_features=2),), (MAX_NEURONS + 1,)),
        ((Conv2d(), Flatten(), Linear(out_features=2)), (1, 4, 4)),
        ((Residual(layers=(Linear(out_features=2),)), Linear(out_features=2)), (2,)),
        ((Conv2d(), Linear(out_features=2)), (2,)),
    ],
)
def test_any_other_net_is_drawn_as_blocks(layers, shape):
    assert drawn(*layers, shape=shape) == []
