"""Weights laid out as what they look at: every number keeps its meaning."""

import numpy as np
import pytest
import torch

from core.inspection import filters as lens
from core.inspection.filters import filters, layers_with_weights
from core.models.model import build
from tests.core.samples import linear, stack


def shown(spec, path, shape, tensor="weight"):
    model = build(spec, shape, 0)
    module = model[path[0]]
    weight = dict(module.named_parameters())[tensor]
    return weight.detach().numpy(), filters(weight, "it", 7, spec, path, shape)


def test_a_first_convolution_over_three_colours_is_a_picture_in_colour_a_later_one_tiles():
    spec = stack(("Dropout2d", {}), ("Conv2d", {"out_channels": 4}), "ReLU", ("Conv2d", {"out_channels": 3}))
    weight, found = shown(spec, (1,), (3, 8, 8))
    assert (found.form, found.is_of_input, found.n_outputs, found.step) == ("colour", True, 4, 7)
    assert np.array_equal(found.weights, weight)
    _, found = shown(spec, (3,), (3, 8, 8))
    assert (found.form, found.is_of_input, found.weights.shape) == ("tiles", False, (3, 4, 3, 3))


def test_a_row_of_a_linear_behind_flatten_is_the_flattened_picture():
    spec = stack("Flatten", ("Dropout", {}), linear(5), "ReLU", linear(2))
    weight, found = shown(spec, (2,), (1, 4, 6))
    assert (found.form, found.is_of_input, found.weights.shape) == ("tiles", True, (5, 1, 4, 6))
    x = torch.rand(1, 1, 4, 6)
    by_picture = (found.weights[3] * x.numpy()).sum()
    assert by_picture == pytest.approx(float(x.flatten(1) @ torch.from_numpy(weight[3])), rel=1e-5)
    _, found = shown(spec, (4,), (1, 4, 6))
    assert (found.form, found.is_of_input, found.weights.shape) == ("matrix", False, (2, 5))


def test_behind_convolutions_the_tiles_are_of_their_maps_and_a_table_stays_a_table():
    spec = stack(("Conv2d", {"out_channels": 4, "kernel_size": 3}), "Flatten", linear(5))
    _, found = shown(spec, (2,), (3, 8, 8))
    assert (found.form, found.is_of_input, found.weights.shape) == ("tiles", False, (5, 4, 6, 6))
    _, found = shown(stack(linear(4)), (0,), (7,))
    assert (found.form, found.is_of_input, found.weights.shape) == ("matrix", True, (4, 7))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_has_its_outputs_first(groups):
    spec = stack(("ConvTranspose2d", {"out_channels": 6, "groups": groups}))
    model = build(spec, (4, 3, 3), 0)
    _, found = shown(spec, (0,), (4, 3, 3))
    assert found.weights.shape == (6, 4 // groups, 2, 2)
    pixel = torch.zeros(1, 4, 3, 3)
    pixel[0, 3, 1, 1] = 1.0  # paints the kernels of input 3, the last one of the last group
    painted = (model(pixel) - model(torch.zeros_like(pixel)))[0, :, 2:4, 2:4].detach().numpy()
    own = slice(6 - 6 // groups, 6)
    assert np.allclose(painted[own], found.weights[own, -1], atol=1e-6)


def test_a_convolution_in_time_shows_features_by_places():
    spec = stack(("Embedding", {"num_embeddings": 20, "embedding_dim": 4}), ("Conv1d", {"out_channels": 6, "kernel_size": 3}))
    model = build(spec, (9,), 0)
    weight = next(one for one in model[1].parameters() if one.ndim == 3)
    found = filters(weight, "it", 0, spec, (1,), (9,))
    assert (found.form, found.weights.shape) == ("tiles", (6, 1, 4, 3))


def test_very_large_layers_are_cut_and_say_so(monkeypatch):
    monkeypatch.setattr(lens, "MAX_NUMBERS", 50)
    _, found = shown(stack(linear(20)), (0,), (7,))
    assert (found.weights.shape, found.n_outputs) == ((7, 7), 20)


def test_layers_that_have_something_to_see_are_listed_by_name():
    block = stack(("Conv2d", {"padding": 1}), "BatchNorm2d").layers
    spec = stack(("Residual", {"layers": block}), "ReLU", ("Residual", {"layers": stack("Tanh").layers}), "Flatten", linear(2))
    found = layers_with_weights(spec, (1, 8, 8))
    assert [path for path, _ in found] == [(0,), (0, 0, 0), (4,)]
    assert found[1][1] == "Layer 1.1 Conv2d"
