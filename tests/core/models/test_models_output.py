"""A stack that ends with a Softmax gives probabilities already: they are never squashed twice."""

import numpy as np
import torch

from core.inspection.activations import activation_maps
from core.models.model import build
from core.models.output import class_probabilities
from core.training.measures import class_one_share, plane_grid
from tests.core.samples import linear, stack

PLAIN = build(stack(linear(8), "Tanh", linear(2)), (2,), 0)
SQUASHED = build(stack(linear(8), "Tanh", linear(2), "Softmax"), (2,), 0)
X = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))


def test_both_stacks_give_the_same_probabilities():
    with torch.no_grad():
        plain, squashed = (class_probabilities(model, model(X)) for model in (PLAIN, SQUASHED))
    assert torch.allclose(plain, squashed)
    assert torch.allclose(plain.sum(1), torch.ones(5))


def test_the_plane_and_the_maps_show_them():
    grid = plane_grid(9, 6.0, torch.device("cpu"))
    assert class_one_share(PLAIN, grid) == class_one_share(SQUASHED, grid)
    maps = [activation_maps(model, X[:1], 0, ("a", "b"), 0) for model in (PLAIN, SQUASHED)]
    assert np.allclose(maps[0].probabilities, maps[1].probabilities)
