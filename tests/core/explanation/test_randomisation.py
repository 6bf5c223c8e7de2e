"""The weight-randomisation test forgets from the top, on a copy, and disturbs nobody."""

import numpy as np
import pytest
import torch
from torch import nn

from core.explanation.randomisation import cascade, learning_layers, unlearned


def net() -> nn.Sequential:
    inner = nn.Sequential(nn.Linear(6, 6), nn.LayerNorm(6))
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), inner, nn.Linear(6, 3))


def changed(before: nn.Module, after: nn.Module) -> set[str]:
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    return {name for (name, a), b in pairs if not torch.equal(a, b)}


def test_layers_with_weights_count_also_inside_others():
    assert [type(layer).__name__ for layer in learning_layers(net())] == ["Linear", "Linear", "LayerNorm", "Linear"]


@pytest.mark.parametrize(("n", "levels"), [(0, ()), (1, (1,)), (2, (1, 2)), (5, (1, 3, 5)), (8, (1, 4, 8))])
def test_one_half_and_all_layers_are_reset(n, levels):
    assert cascade(n) == levels


@pytest.mark.parametrize(
    ("n", "forgotten"),
    [(1, {"3"}), (3, {"3", "2.1", "2.0"}), (4, {"3", "2.1", "2.0", "0"})],
)
def test_the_last_layers_forget_and_the_first_remember(n, forgotten):
    module = net()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.5)
    found = changed(module, unlearned(module, n, seed=1))
    assert {name.rpartition(".")[0] for name in found} == forgotten


def test_the_model_itself_and_the_global_random_state_stay_as_they_are():
    module = net().eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    copied = unlearned(module, 4, seed=1)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert torch.equal(torch_state, torch.get_rng_state())
    assert (numpy_state == np.random.get_state()[1]).all()
    assert not copied.training


def test_equal_seeds_give_equal_weights_and_others_do_not():
    module = net()
    first, again, other = (unlearned(module, 2, seed) for seed in (1, 1, 2))
    assert changed(first, again) == set()
    assert "3.weight" in changed(first, other)


def test_frozen_weights_forget_too_and_stay_frozen():
    module = net().requires_grad_(False)
    found = unlearned(module, 1, seed=0)
    assert changed(module, found) == {"3.weight", "3.bias"}
    assert not any(parameter.requires_grad for parameter in found.parameters())


class Places(nn.Module):
    """A layer that cannot reset itself."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.arange(50.0).reshape(10, 5))


def test_a_layer_that_cannot_reset_itself_has_its_weights_shuffled():
    found = unlearned(nn.Sequential(Places()), 1, seed=0)[0].places
    assert found.shape == (10, 5)
    assert not torch.equal(found, Places().places)
    assert torch.equal(found.flatten().sort().values, torch.arange(50.0))
