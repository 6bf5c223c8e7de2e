"""What a stack gives is read as probabilities, classes and numbers in one way, whatever its last layer is."""

import numpy as np
import pytest
import torch
from torch import nn

from core.inspection.activations import activation_maps
from core.models.model import build
from core.models.output import class_probabilities, output_form, predicted_classes, predicted_numbers
from core.training.plane import plane_grid, plane_outputs, share
from tests.core.samples import linear, stack


def class_one_share(model, inputs, chunk=512):
    (outputs,) = plane_outputs([model], inputs, chunk)
    return share(model, outputs)


def predicted_share(model, inputs, chunk, shift, scale):
    (outputs,) = plane_outputs([model], inputs, chunk)
    return share(model, outputs, (shift, scale))


PLAIN = build(stack(linear(8), "Tanh", linear(2)), (2,), 0)
ENDS = {"Softmax": nn.Softmax(1), "LogSoftmax": nn.LogSoftmax(1)}
BINARY = build(stack(linear(8), "Tanh", linear(1)), (2,), 0)
X = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))


def ending(module: nn.Sequential, end: nn.Module) -> nn.Sequential:
    return nn.Sequential(*module, end)


@pytest.mark.parametrize("end", ENDS)
def test_an_end_that_gives_probabilities_is_never_squashed_twice(end):
    other = ending(PLAIN, ENDS[end])
    with torch.no_grad():
        plain, squashed = (class_probabilities(model, model(X)) for model in (PLAIN, other))
        assert torch.equal(predicted_classes(PLAIN, PLAIN(X)), predicted_classes(other, other(X)))
    assert torch.allclose(plain, squashed)
    assert torch.allclose(plain.sum(1), torch.ones(5))


def test_one_output_is_the_logit_of_class_1_also_with_a_sigmoid_behind_it():
    squashed = ending(BINARY, nn.Sigmoid())
    with torch.no_grad():
        logit = BINARY(X)
        two = torch.cat([torch.zeros_like(logit), logit], 1).softmax(1)
        for model in (BINARY, squashed):
            assert torch.allclose(class_probabilities(model, model(X)), two, atol=1e-6)
            assert torch.equal(predicted_classes(model, model(X)), two.argmax(1))


def test_sigmoids_of_several_classes_are_divided_by_their_sum():
    module = ending(PLAIN, nn.Sigmoid())
    output = torch.tensor([[0.2, 0.6], [0.0, 0.0]])
    assert torch.allclose(class_probabilities(module, output), torch.tensor([[0.25, 0.75], [0.0, 0.0]]))


def test_the_form_is_read_from_the_very_last_layer():
    assert output_form(PLAIN) == "logit"
    assert output_form(nn.Sequential(nn.Softmax(1), nn.Linear(2, 2))) == "logit"
    assert output_form(nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Softmax(1)))) == "probability"
    assert output_form(nn.Sequential()) == "logit"


def test_the_plane_and_the_maps_show_the_same_probabilities():
    grid = torch.from_numpy(plane_grid(9, 6.0))
    squashed = ending(PLAIN, nn.Softmax(1))
    assert class_one_share(PLAIN, grid) == class_one_share(squashed, grid) == class_one_share(PLAIN, grid, chunk=7)
    maps = [activation_maps(model, X[:1], 0, ("a", "b"), 0) for model in (PLAIN, squashed)]
    assert np.allclose(maps[0].probabilities, maps[1].probabilities)


def test_the_plane_of_one_logit_is_its_sigmoid():
    grid = torch.from_numpy(plane_grid(5, 6.0))
    with torch.no_grad():
        expected = (BINARY(grid)[:, 0].sigmoid() * 255).round()
    assert list(class_one_share(BINARY, grid)) == expected.int().tolist()


def test_the_plane_of_a_number_reaches_from_minus_1_to_1_in_its_own_unit():
    numbers = nn.Sequential(nn.Linear(2, 1))
    with torch.no_grad():
        numbers[0].weight.copy_(torch.tensor([[1.0, 0.0]]))
        numbers[0].bias.zero_()
    grid = torch.tensor([[-5.0, 0.0], [-0.5, 0.0], [0.0, 9.0], [0.25, 0.0], [5.0, 0.0]])
    assert predicted_numbers(numbers(grid)).tolist() == [-5, -0.5, 0, 0.25, 5]
    assert list(predicted_share(numbers, grid, 2, 0.0, 1.0)) == [0, 64, 128, 159, 255]
    assert list(predicted_share(numbers, grid, 2, 0.5, 2.0)) == [0, 64, 191, 255, 255]


def test_the_grid_runs_upwards_row_by_row():
    grid = plane_grid(3, 6.0)
    assert grid.tolist() == [[x, y] for y in (-6, 0, 6) for x in (-6, 0, 6)]
