"""Receptive fields against gradients: an output depends on no pixel outside its field, and on those at its edges."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import NotApplicable
from core.inspection.receptive_field import field_size, field_spans
from core.models.model import ModelSpec, build, infer
from tests.core.samples import linear, stack


# MaxPool2d passes a gradient to one input alone, and ReLU to none that is negative: these are smooth and positive
@st.composite
def convolutions(draw):
    size, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    padding = min(draw(st.integers(0, 3)), dilation * (size - 1))
    settings_ = {"kernel_size": size, "dilation": dilation, "padding": padding, "stride": draw(st.integers(1, 3))}
    return "Conv2d", {"out_channels": 2, **settings_}


CONV = convolutions()
POOL = st.builds(lambda k, s: ("AvgPool2d", {"kernel_size": k, "stride": s}), st.integers(1, 3), st.integers(1, 3))
UP = st.sampled_from((2, 3)).map(lambda s: ("Upsample", {"scale_factor": s, "mode": "nearest"}))
BACK = st.integers(1, 3).map(lambda s: ("ConvTranspose2d", {"out_channels": 2, "kernel_size": s + 1, "stride": s}))
ADAPTIVE = st.integers(1, 4).map(lambda n: ("AdaptiveAvgPool2d", {"output_size": n}))
SAME = ("Conv2d", {"out_channels": 2, "padding": 1})
TWO = {"layers": stack(SAME, SAME).layers}
SKIP = st.just(("Residual", TWO))
LAYERS = st.lists(st.one_of(CONV, CONV, POOL, UP, BACK, ADAPTIVE, SKIP), min_size=1, max_size=4)
SIZES = st.tuples(st.integers(6, 15), st.integers(6, 15))


def gradient(spec: ModelSpec, shape: tuple[int, ...], row: int, column: int) -> np.ndarray:
    """Of the sum over the channels of one output with respect to each pixel, (H, W); all weights are positive."""
    model = build(spec, shape, seed=0).eval().double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(0.5 + torch.rand(weights.shape, generator=generator))
    x = torch.rand(1, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
    out = model(x)[0, :, row, column].sum()
    return torch.autograd.grad(out, x)[0][0].abs().sum(0).numpy() if out.requires_grad else np.zeros(shape[1:])


@settings(max_examples=120, deadline=None)
@given(LAYERS, SIZES, st.data())
def test_with_positive_weights_the_gradient_reaches_exactly_to_the_edges_of_the_field(layers, sizes, data):
    spec, shape = stack(*layers), (1, *sizes)
    out = infer(spec, shape).out_shape
    if out is None:
        return
    row, column = data.draw(st.integers(0, out[1] - 1)), data.draw(st.integers(0, out[2] - 1))
    rows, columns = field_spans(spec.layers, shape, (len(layers) - 1,))
    assert (len(rows), len(columns)) == out[1:]
    slope = gradient(spec, shape, row, column)
    for span, seen in ((rows[row], slope.sum(1) > 0), (columns[column], slope.sum(0) > 0)):
        places = np.flatnonzero(seen)
        if len(places):
            assert (int(places[0]), int(places[-1])) == tuple(span)


def test_a_field_at_the_corner_is_cut_at_the_edge_of_the_image():
    spec = stack(("Conv2d", {"kernel_size": 5, "padding": 2}), ("MaxPool2d", {"kernel_size": 2}))
    rows, columns = field_spans(spec.layers, (1, 28, 20), (1,))
    assert rows[0].tolist() == columns[0].tolist() == [0, 3]
    assert rows[5].tolist() == [8, 13]
    assert columns[9].tolist() == [16, 19]
    assert field_size(spec.layers, (1, 28, 20), (1,)) == (6, 6)


def test_an_adaptive_pooling_of_maps_that_are_no_squares_is_exact_on_both_axes():
    spec = stack(("AdaptiveAvgPool2d", {"output_size": 2}))
    rows, columns = field_spans(spec.layers, (1, 4, 10), (0,))
    assert rows.tolist() == [[0, 1], [2, 3]]
    assert columns.tolist() == [[0, 4], [5, 9]]


def test_a_layer_inside_a_container_sees_what_comes_before_it():
    spec = stack(("Conv2d", {"out_channels": 2, "kernel_size": 3}), ("Residual", TWO))
    rows, _ = field_spans(spec.layers, (1, 12, 12), (1, 0, 0))
    assert rows[4].tolist() == [3, 7]  # two windows of 3
    whole, _ = field_spans(spec.layers, (1, 12, 12), (1,))
    assert whole[4].tolist() == [2, 8]


def test_behind_a_global_look_every_output_sees_the_whole_image():
    spec = stack(("Conv2d", {"out_channels": 4}), ("GroupNorm", {"num_groups": 2}), ("Conv2d", {"out_channels": 2}))
    rows, columns = field_spans(spec.layers, (1, 9, 7), (2,))
    assert (rows == [0, 8]).all()
    assert (columns == [0, 6]).all()
    assert field_size(spec.layers, (1, 9, 7), (2,)) == (9, 7)


def test_what_is_no_map_of_an_image_has_no_field():
    with pytest.raises(NotApplicable, match="receptive field"):
        field_spans(stack("Flatten", linear(3)).layers, (1, 4, 4), (1,))
    with pytest.raises(NotApplicable, match="receptive field"):
        field_spans(stack(linear(3)).layers, (4,), (0,))
