"""Layers over sequences do what their formulas say, step by step and by hand."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from core.models.layers.attention import SelfAttention, TransformerEncoder
from core.models.layers.embedding import Embedding, PatchEmbed, PositionalEncoding
from core.models.layers.recurrent import GRU, LSTM, RNN
from core.models.layers.sequence import Conv1d, MaxPool1d, PoolTime


def random_batch(shape, n):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def test_padding_is_a_zero_vector_that_is_not_trained():
    module = Embedding(num_embeddings=6, embedding_dim=3).build((4,))
    out = module(torch.tensor([[0, 0, 2, 5]]))
    assert torch.equal(out[0, :2], torch.zeros(2, 3))
    assert torch.equal(out[0, 2:], module.weight[[2, 5]])
    out.sum().backward()
    assert module.weight.grad.sum(dim=1).tolist() == [0, 0, 3, 0, 0, 3]


@pytest.mark.parametrize("features", [1, 6, 7])
def test_sinusoids_are_those_of_the_paper(features):
    length = 9
    places = PositionalEncoding().build((length, features))(torch.zeros(1, length, features))[0].numpy()
    for t in range(length):
        for column in range(features):
            angle = t / 10_000 ** ((column - column % 2) / features)
            assert places[t, column] == pytest.approx(math.cos(angle) if column % 2 else math.sin(angle), abs=1e-5)


def test_learned_places_are_added_and_trained():
    module = PositionalEncoding(encoding="learned").build((4, 3))
    assert torch.equal(module(torch.ones(2, 4, 3)), 1 + module.places.expand(2, 4, 3))
    assert 0.005 < module.places.std() < 0.05


@pytest.mark.parametrize("class_token", [False, True])
def test_patch_embedding_is_one_linear_layer_on_each_patch(class_token):
    module = PatchEmbed(patch_size=2, embedding_dim=5, class_token=class_token).build((3, 4, 6))
    images = random_batch((3, 4, 6), 2)
    weight, bias = module.projection.weight.flatten(1), module.projection.bias
    by_hand = [[images[:, :, i : i + 2, j : j + 2].flatten(1) @ weight.T + bias for j in (0, 2, 4)] for i in (0, 2)]
    by_hand = torch.stack([patch for row in by_hand for patch in row], dim=1)
    out = module(images)
    if class_token:
        assert torch.equal(out[:, 0], module.class_token[0].expand(2, 5))
        out = out[:, 1:]
    torch.testing.assert_close(out, by_hand)


def test_pooling_over_time_by_hand():
    batch = torch.tensor([[[1.0, 9.0], [2.0, -4.0], [6.0, 1.0]]])
    wanted = {"mean": [3.0, 2.0], "max": [6.0, 9.0], "last": [6.0, 1.0], "first": [1.0, 9.0]}
    assert {name: PoolTime(reduce=name).build((3, 2))(batch)[0].tolist() for name in wanted} == wanted


def test_a_convolution_along_time_is_a_weighted_sum_of_the_steps_it_looks_at():
    layer = Conv1d(out_channels=4, kernel_size=3, stride=2, padding=1, dilation=2)
    module, batch = layer.build((9, 3)), random_batch((9, 3), 1)
    assert type(module.layer) is nn.Conv1d
    padded = np.pad(batch[0].numpy(), ((1, 1), (0, 0)))
    weight, bias = (tensor.detach().numpy() for tensor in (module.layer.weight, module.layer.bias))  # (4, 3, 3), (4,)
    n_steps = layer.out_shape((9, 3))[0]
    by_hand = [bias + sum(weight[:, :, k] @ padded[2 * t + 2 * k] for k in range(3)) for t in range(n_steps)]
    np.testing.assert_allclose(module(batch)[0].detach().numpy(), by_hand, atol=1e-5)


def test_max_pooling_along_time_by_hand():
    module = MaxPool1d(kernel_size=2).build((5, 2))
    assert type(module.layer) is nn.MaxPool1d
    batch = torch.tensor([[[1.0, 5.0], [3.0, 4.0], [-1.0, 0.0], [-2.0, 7.0], [9.0, 9.0]]])
    assert module(batch)[0].tolist() == [[3.0, 5.0], [-1.0, 7.0]]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_step(input_part, memory_part, state):
    return (np.tanh(input_part + memory_part),)


def lstm_step(input_part, memory_part, state):
    i, f, g, o = np.split(input_part + memory_part, 4)
    c = sigmoid(f) * state[1] + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(input_part, memory_part, state):
    (r, z, n), (hr, hz, hn) = np.split(input_part, 3), np.split(memory_part, 3)
    r, z = sigmoid(r + hr), sigmoid(z + hz)
    return ((1 - z) * np.tanh(n + r * hn) + z * state[0],)


def recurrence(step, weights, sequence):
    """Outputs (L, H) of one direction of one layer, one step after another."""
    w_input, w_memory, b_input, b_memory = weights
    state = (np.zeros(w_memory.shape[1]),) * 2
    outputs = []
    for x in sequence:
        state = step(w_input @ x + b_input, w_memory @ state[0] + b_memory, state)
        outputs.append(state[0])
    return np.stack(outputs)


@pytest.mark.parametrize(("cls", "step"), [(RNN, rnn_step), (LSTM, lstm_step), (GRU, gru_step)], ids=["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_recurrent_layers_are_their_formulas_read_in_both_directions(cls, step, num_layers):
    sequence = random_batch((6, 4), 1)
    layer = cls(hidden_size=3, bidirectional=True, num_layers=num_layers, returns="sequence")
    module = layer.build((6, 4)).double()
    assert type(module.recurrent) is getattr(nn, layer.kind)
    sets = [[tensor.detach().numpy() for tensor in weights] for weights in module.recurrent.all_weights]
    outputs = sequence[0].double().numpy()
    for forward, backward in zip(sets[::2], sets[1::2], strict=True):
        ahead, back = recurrence(step, forward, outputs), recurrence(step, backward, outputs[::-1])
        outputs = np.concatenate([ahead, back[::-1]], axis=1)
    np.testing.assert_allclose(module(sequence.double())[0].detach().numpy(), outputs, atol=1e-9)
    last = layer.but(returns="last").build((6, 4)).double()
    last.load_state_dict(module.state_dict())
    np.testing.assert_allclose(last(sequence.double())[0].detach().numpy(), np.concatenate([ahead[-1], back[-1]]), atol=1e-9)


def test_the_end_of_one_direction_is_the_last_step():
    layer = GRU(hidden_size=5)
    module, sequences = layer.build((6, 4)), random_batch((6, 4), 3)
    whole = layer.but(returns="sequence").build((6, 4))
    whole.load_state_dict(module.state_dict())
    assert torch.equal(module(sequences), whole(sequences)[:, -1])


def test_a_relu_memory_can_grow_and_a_tanh_memory_cannot():
    sequences = torch.full((1, 30, 2), 5.0)
    for nonlinearity, is_bounded in (("tanh", True), ("relu", False)):
        module = RNN(hidden_size=4, nonlinearity=nonlinearity).build((30, 2))
        for weights in module.parameters():
            nn.init.constant_(weights, 0.3)
        assert (module(sequences).abs().max() <= 1) == is_bounded


@pytest.mark.parametrize(
    "layer", [LSTM(num_layers=2, dropout=0.5), TransformerEncoder(dropout=0.5), SelfAttention(dropout=0.5)]
)
def test_dropout_acts_in_training_and_is_off_in_evaluation(layer):
    batch = random_batch((10, 12), 3)
    module = layer.build((10, 12))
    assert not torch.equal(module(batch), module(batch))
    module.eval()
    assert torch.equal(module(batch), module(batch))


def test_dropout_in_a_single_recurrent_layer_has_no_effect_and_draws_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module = GRU(num_layers=1, dropout=0.5).build((4, 3))
    batch = random_batch((4, 3), 3)
    assert torch.equal(module(batch), module(batch))
