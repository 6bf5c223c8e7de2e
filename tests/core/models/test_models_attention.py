"""Attention is softmax(Q Kᵀ / √d) V, by hand and on both of torch's paths, and gradients of explanations add up."""

import copy
import math

import pytest
import torch
from captum.attr import DeepLift, IntegratedGradients, LayerIntegratedGradients
from torch import nn
from torch.nn import functional

from core.models.layers.activation import ReLU
from core.models.layers.attention import SelfAttention, TransformerEncoder
from core.models.layers.embedding import Embedding, PatchEmbed, PositionalEncoding
from core.models.layers.linear import Linear
from core.models.layers.recurrent import GRU, LSTM, RNN
from core.models.layers.sequence import Conv1d, MaxPool1d, PoolTime
from core.models.layers.shape import Flatten
from core.models.stack import infer_stack

SHAPE = (7, 12)
BLOCKS = [
    TransformerEncoder(num_heads=heads, dim_feedforward=20, dropout=0.3, activation=activation, norm_first=norm_first)
    for heads, activation, norm_first in [(2, "relu", False), (4, "gelu", True), (3, "relu", True), (2, "gelu", False)]
]


def batch(n=3, shape=SHAPE):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def stirred(module):
    """The module with biases and normalisations that are not 0 and 1, so that leaving one out is seen."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in module.parameters():
            weights += 0.2 * torch.randn(weights.shape, generator=generator)
    return module


def attention_by_hand(attention: nn.MultiheadAttention, x: torch.Tensor):
    """Output (N, L, D) and weights (N, heads, L, L), head after head."""
    queries, keys, values = (x @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=2)
    size = x.shape[2] // attention.num_heads
    outputs, weights = [], []
    for head in range(attention.num_heads):
        q, k, v = (part[:, :, head * size : (head + 1) * size] for part in (queries, keys, values))
        weights.append((q @ k.transpose(1, 2) / math.sqrt(size)).softmax(dim=2))
        outputs.append(weights[-1] @ v)
    joined = torch.cat(outputs, dim=2)
    return joined @ attention.out_proj.weight.T + attention.out_proj.bias, torch.stack(weights, dim=1)


@pytest.mark.parametrize("num_heads", [1, 2, 3])
def test_self_attention_is_its_formula(num_heads):
    module = stirred(SelfAttention(num_heads=num_heads).build(SHAPE))
    by_hand, _ = attention_by_hand(module.attention, batch())
    torch.testing.assert_close(module(batch()), by_hand, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("num_heads", [1, 4])
def test_self_attention_tells_where_it_looked_when_asked(num_heads):
    module = stirred(SelfAttention(num_heads=num_heads, dropout=0.4).build(SHAPE)).eval()
    with torch.inference_mode():
        plain = module(batch())
        assert module.last_weights is None
        module.keep_weights = True
        torch.testing.assert_close(module(batch()), plain, atol=1e-5, rtol=1e-4)
        _, weights = attention_by_hand(module.attention, batch())
    torch.testing.assert_close(module.last_weights, weights, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(module.last_weights.sum(dim=3), torch.ones(3, num_heads, 7))
    assert copy.deepcopy(module).last_weights.shape == (3, num_heads, 7, 7)
    assert not any("last_weights" in name for name in module.state_dict())
    module.keep_weights = False
    module(batch())
    assert module.last_weights is None


def test_kept_weights_do_not_hold_the_graph():
    module = SelfAttention().build(SHAPE)
    module.keep_weights = True
    module(batch()).sum().backward()
    assert not module.last_weights.requires_grad


def test_attention_alone_does_not_see_the_order_and_with_places_it_does():
    attention, places = SelfAttention().build(SHAPE).eval(), PositionalEncoding().build(SHAPE)
    order = torch.tensor([3, 0, 6, 1, 5, 2, 4])
    torch.testing.assert_close(attention(batch()[:, order]), attention(batch())[:, order])
    assert not torch.allclose(attention(places(batch()[:, order])), attention(places(batch()))[:, order], atol=1e-3)


def block_by_hand(block: nn.TransformerEncoderLayer, x: torch.Tensor, layer: TransformerEncoder):
    def feedforward(inner):
        hidden = getattr(functional, layer.activation)(inner @ block.linear1.weight.T + block.linear1.bias)
        return hidden @ block.linear2.weight.T + block.linear2.bias

    def norm(values, module):
        centred = values - values.mean(dim=2, keepdim=True)
        return centred / (values.var(dim=2, correction=0, keepdim=True) + module.eps).sqrt() * module.weight + module.bias

    if layer.norm_first:
        x = x + attention_by_hand(block.self_attn, norm(x, block.norm1))[0]
        return x + feedforward(norm(x, block.norm2))
    x = norm(x + attention_by_hand(block.self_attn, x)[0], block.norm1)
    return norm(x + feedforward(x), block.norm2)


@pytest.mark.parametrize("layer", BLOCKS, ids=lambda layer: f"{layer.num_heads}-{layer.activation}-{layer.norm_first}")
def test_an_encoder_block_is_its_formula_on_the_slow_and_on_the_fast_path(layer):
    module = stirred(layer.build(SHAPE)).eval()
    assert type(module) is nn.TransformerEncoderLayer
    slow = module(batch())  # gradients are on
    with torch.inference_mode():
        fast = module(batch())
    torch.testing.assert_close(slow, block_by_hand(module, batch(), layer), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(fast, slow, atol=1e-5, rtol=1e-5)


def test_the_fast_path_is_really_taken(monkeypatch):
    calls, kernel = [], torch._transformer_encoder_layer_fwd
    monkeypatch.setattr(torch, "_transformer_encoder_layer_fwd", lambda *args: calls.append(1) or kernel(*args))
    module = BLOCKS[0].build(SHAPE).eval()
    module(batch())
    assert not calls
    with torch.inference_mode():
        module(batch())
    assert calls


STACKS = {
    "conv": (Conv1d(out_channels=8, padding=1), ReLU(), MaxPool1d(), PoolTime(reduce="max")),
    "rnn": (RNN(hidden_size=6, bidirectional=True),),
    "lstm": (LSTM(hidden_size=6, returns="sequence"), PoolTime(reduce="last")),
    "gru": (GRU(hidden_size=6, num_layers=2, dropout=0.2),),
    "attention": (PositionalEncoding(), SelfAttention(num_heads=3), PoolTime()),
    "transformer": (PositionalEncoding(encoding="learned"), TransformerEncoder(dropout=0.1), PoolTime(reduce="first")),
}


def built(layers, shape):
    """The layers and a linear one with two outputs, in evaluation mode."""
    infos = infer_stack((*layers, Linear(out_features=2)), shape).layers
    pairs = zip((*layers, Linear(out_features=2)), infos, strict=True)
    torch.manual_seed(0)
    return nn.Sequential(*(layer.build(info.in_shape) for layer, info in pairs)).eval()


@pytest.mark.parametrize("name", STACKS)
def test_integrated_gradients_of_a_sequence_add_up_to_the_change_of_the_output(name):
    module, inputs = built(STACKS[name], SHAPE), batch(2)
    attributed = IntegratedGradients(module).attribute(inputs, torch.zeros_like(inputs), target=1, n_steps=300)
    change = module(inputs)[:, 1] - module(torch.zeros_like(inputs))[:, 1]
    torch.testing.assert_close(attributed.sum(dim=(1, 2)).float(), change, atol=5e-3, rtol=0.05)


def test_integrated_gradients_of_token_vectors_add_up_to_the_change_of_the_output():
    module = built((Embedding(num_embeddings=9, embedding_dim=12), LSTM(hidden_size=6)), (7,))
    tokens = torch.tensor([[0, 0, 3, 4, 8, 2, 1]])
    method = LayerIntegratedGradients(module, module[0])
    attributed = method.attribute(tokens, torch.zeros_like(tokens), target=0, n_steps=300)
    change = (module(tokens) - module(torch.zeros_like(tokens)))[0, 0]
    torch.testing.assert_close(attributed.sum().float(), change, atol=5e-3, rtol=0.05)
    assert not attributed[0, :2].any()  # padding has nothing to say


def test_integrated_gradients_of_patches_add_up_to_the_change_of_the_output():
    layers = (PatchEmbed(patch_size=2, embedding_dim=12, class_token=True), TransformerEncoder(norm_first=True), Flatten())
    module, images = built(layers, (1, 4, 6)), batch(2, (1, 4, 6))
    attributed = IntegratedGradients(module).attribute(images, torch.zeros_like(images), target=0, n_steps=300)
    change = module(images)[:, 0] - module(torch.zeros_like(images))[:, 0]
    torch.testing.assert_close(attributed.sum(dim=(1, 2, 3)).float(), change, atol=5e-3, rtol=0.05)


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning")
def test_deeplift_finds_torchs_own_pooling_inside_ours():
    module, inputs = built((*STACKS["conv"][:3], Flatten()), SHAPE), batch(2)
    attributed = DeepLift(module).attribute(inputs.requires_grad_(), torch.zeros_like(inputs), target=0)
    change = module(inputs)[:, 0] - module(torch.zeros_like(inputs))[:, 0]
    torch.testing.assert_close(attributed.sum(dim=(1, 2)), change, atol=1e-4, rtol=1e-3)
