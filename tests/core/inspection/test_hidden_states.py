"""The memory of recurrent layers against torch's own, prefix by prefix."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from core.inspection.hidden_states import change_of_units, hidden_states, read_prefixes
from core.models.model import build
from core.models.sequence_layers import memory_places
from tests.core.samples import linear, stack

EMBEDDING = ("Embedding", {"num_embeddings": 20, "embedding_dim": 6})
ROW = torch.tensor([[0, 0, 3, 4, 5, 4, 9]])


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def reader(kind: str, **settings: object):
    return stack(EMBEDDING, (kind, {"hidden_size": 5, **settings}), linear(2))


def inputs_of(module: nn.Sequential) -> torch.Tensor:
    with torch.no_grad():
        return module[0](ROW)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_states_and_cells_are_what_torch_ends_with_after_each_prefix(kind):
    model = reader(kind, num_layers=2)
    module = build(model, (7,), seed=3).eval()
    memories, residual = hidden_states(module, ROW, (1,))
    assert [(one.depth, one.is_backward) for one in memories] == [(0, False), (1, False)]
    for length in range(1, 8):
        with torch.no_grad():
            end = module[1].recurrent(inputs_of(module)[:, :length])[1]
        state, cell = end if kind == "LSTM" else (end, None)
        for memory in memories:
            assert np.allclose(memory.states[length - 1], state[memory.depth, 0], atol=1e-6)
            if cell is not None:
                assert np.allclose(memory.cells[length - 1], cell[memory.depth, 0], atol=1e-6)
    assert residual < 1e-6
    assert len(memories[0].cells) == (7 if kind == "LSTM" else 0)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("returns", ["last", "sequence"])
def test_both_directions_stay_at_the_place_of_their_token(kind, returns):
    both = (kind, {"hidden_size": 5, "num_layers": 2, "bidirectional": True, "returns": returns})
    model = stack(EMBEDDING, both, "Flatten", linear(2))
    module = build(model, (7,), seed=3).eval()
    memories, residual = hidden_states(module, ROW, (1,))
    with torch.no_grad():
        outputs = module[1].recurrent(inputs_of(module))[0][0].numpy()
    assert np.allclose(np.hstack([memories[2].states, memories[3].states]), outputs, atol=1e-6)
    assert [one.is_backward for one in memories] == [False, True, False, True]
    assert residual < 1e-6


def test_a_relu_memory_is_one_too():
    module = build(reader("RNN", nonlinearity="relu"), (7,), seed=3).eval()
    memories, residual = hidden_states(module, ROW, (1,))
    assert (memories[0].states >= 0).all()
    assert residual < 1e-6


def test_layers_inside_containers_are_found():
    gru = ("GRU", {"hidden_size": 6, "returns": "sequence"})
    skip = ("Residual", {"layers": stack(gru).layers})
    sides = ("Parallel", {"branches": (stack(gru).layers, stack(("LSTM", {"hidden_size": 3, "returns": "sequence"})).layers)})
    model = stack(EMBEDDING, skip, sides, ("PoolTime", {}), linear(2))
    places = memory_places(model, (7,))
    assert [place.name for place in places] == ["2.1 GRU", "3a.1 GRU", "3b.1 LSTM"]
    module = build(model, (7,), seed=0).eval()
    found = [hidden_states(module, ROW, place.path) for place in places]
    assert [memories[0].states.shape[1] for memories, _ in found] == [6, 6, 3]
    assert all(residual < 1e-6 for _, residual in found)


def test_asking_leaves_the_model_alone():
    module = build(reader("LSTM"), (7,), seed=3).train()
    before = copy.deepcopy(module.state_dict())
    random = torch.get_rng_state()
    hidden_states(module, ROW, (1,))
    read_prefixes(module, ROW, lambda done, total: None)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(one._forward_hooks for one in module.modules())
    assert torch.equal(torch.get_rng_state(), random)


def test_change_is_the_mean_step_of_each_unit_and_padding_does_not_count():
    values = np.array([[9.0, 9.0], [1.0, 2.0], [3.0, 2.0], [0.0, 2.5]])
    assert change_of_units(values, 2).tolist() == [2.5, 0.25]
    assert change_of_units(values[1:]).tolist() == [2.0, pytest.approx(2.5 / 3)]
    assert change_of_units(values, 2, is_backward=True).tolist() == [1.5, 1.5]


def test_each_prefix_is_padded_on_the_left_and_the_last_one_is_the_text_itself():
    module = build(reader("GRU"), (7,), seed=3).eval()
    reports = []
    outputs, places = read_prefixes(module, ROW, lambda done, total: reports.append((done, total)))
    assert reports == [(0, 6)]
    assert places.tolist() == [2, 3, 4, 5, 6]
    rows = [[0] * 7, [0] * 6 + [3], [0] * 5 + [3, 4], [0] * 4 + [3, 4, 5], [0] * 3 + [3, 4, 5, 4], ROW[0].tolist()]
    with torch.no_grad():
        expected = module(torch.tensor(rows)).numpy()
    assert np.allclose(outputs, expected, atol=1e-6)
