"""Attention weights against torch's own, against the softmax by hand, and against what the forward pass made of them."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from core.inspection.attention import attention_weights
from core.models.model import build
from core.models.sequence_layers import PatchGrid, attention_places
from tests.core.samples import linear, stack

EMBEDDING = ("Embedding", {"num_embeddings": 20, "embedding_dim": 8})
SELF = ("SelfAttention", {"num_heads": 4})
BLOCK = ("TransformerEncoder", {"num_heads": 2, "dim_feedforward": 16, "dropout": 0.3})
TEXT = stack(EMBEDDING, "PositionalEncoding", SELF, BLOCK, ("PoolTime", {}), linear(2))
NORM_FIRST = ("TransformerEncoder", {"num_heads": 2, "norm_first": True})
SKIPS = stack(EMBEDDING, ("Residual", {"layers": stack(SELF).layers}), NORM_FIRST, ("PoolTime", {}), linear(2))
SIDES = ("Parallel", {"branches": (stack(SELF).layers, stack(BLOCK).layers)})
BESIDE = stack(EMBEDDING, SIDES, ("PoolTime", {}), linear(2))
PATCHES = stack(("PatchEmbed", {"patch_size": 2, "embedding_dim": 8, "class_token": True}), BLOCK, ("PoolTime", {}), linear(3))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def row(length: int = 7) -> torch.Tensor:
    return torch.tensor([[0, 0, *range(3, length + 1)]])


def by_hand(attention: nn.MultiheadAttention, x: torch.Tensor) -> torch.Tensor:
    """softmax(Q Kᵀ / √d) of each head, (L, D) -> (heads, L, L)."""
    size = attention.embed_dim // attention.num_heads
    queries, keys, _ = (x @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=1)
    heads = [
        (queries[:, part] @ keys[:, part].T / size**0.5).softmax(1)
        for part in (slice(i * size, (i + 1) * size) for i in range(attention.num_heads))
    ]
    return torch.stack(heads)


@pytest.mark.parametrize("model", [TEXT, SKIPS, BESIDE], ids=["plain", "inside a skip", "side by side"])
def test_weights_are_those_of_the_softmax_by_hand_and_make_the_output_of_the_layer(model):
    module = build(model, (7,), seed=1).eval()
    for place in attention_places(model, (7,)):
        weights, residual = attention_weights(module, row(), place.path, place.block)
        seen: list[tuple[torch.Tensor, torch.Tensor]] = []
        quiet = copy.deepcopy(module)
        owners = [one for one in quiet.modules() if isinstance(one, nn.MultiheadAttention)]
        attention = owners[attention_places(model, (7,)).index(place)]
        attention.register_forward_hook(lambda layer, inputs, output, seen=seen: seen.append((inputs[0], output[0])))
        with torch.no_grad():
            quiet(row())
            expected = by_hand(attention, seen[0][0][0])
            of_torch = attention(*[seen[0][0]] * 3, need_weights=True, average_attn_weights=False)[1][0]
            values = seen[0][0][0] @ attention.in_proj_weight[-8:].T + attention.in_proj_bias[-8:]
            mixed = torch.einsum("hij,jhd->ihd", torch.from_numpy(weights), values.reshape(7, len(weights), -1)).flatten(1)
            made = attention.out_proj(mixed)
        assert np.allclose(weights, expected, atol=1e-6)
        assert np.allclose(weights, of_torch, atol=1e-6)
        assert np.allclose(weights.sum(-1), 1, atol=1e-6)
        assert torch.allclose(made, seen[0][1][0], atol=1e-6)
        assert residual < 1e-5


def test_asking_leaves_the_model_and_the_random_state_alone():
    module = build(TEXT, (7,), seed=1).train()
    before, random = copy.deepcopy(module.state_dict()), torch.get_rng_state()
    attention_weights(module, row(), (3,))
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in module.modules())
    assert torch.equal(torch.get_rng_state(), random)


def test_places_are_named_as_the_screens_number_layers_and_know_their_patches():
    assert [place.name for place in attention_places(SKIPS, (7,))] == ["2.1 SelfAttention", "3 TransformerEncoder"]
    assert [place.name for place in attention_places(BESIDE, (7,))] == ["2a.1 SelfAttention", "2b.1 TransformerEncoder"]
    assert [place.layer for place in attention_places(SKIPS, (7,))] == [1, 2]
    (place,) = attention_places(PATCHES, (1, 6, 8))
    assert place.grid == PatchGrid(rows=3, columns=4, n_before=1)
    assert attention_places(stack(linear(2)), (5,)) == ()
    pooled = stack(
        *[("PatchEmbed", {"patch_size": 2, "embedding_dim": 8}), ("MaxPool1d", {}), SELF, ("PoolTime", {}), linear(2)]
    )
    assert [place.grid for place in attention_places(pooled, (1, 6, 8))] == [None]


def test_patches_of_an_image_have_weights_too():
    module = build(PATCHES, (1, 6, 8), seed=0)
    (place,) = attention_places(PATCHES, (1, 6, 8))
    weights, residual = attention_weights(module, torch.rand(1, 1, 6, 8), place.path)
    assert weights.shape == (2, place.grid.length, place.grid.length)
    assert residual < 1e-5


def test_a_vit_backbone_has_twelve_blocks():
    model = stack(("Backbone", {"name": "vit_b_16"}), linear(2))
    places = attention_places(model, (3, 224, 224))
    assert len(places) == 12
    assert places[4].name == "1 Backbone, block 5"
    assert places[0].grid.length == 197


def test_a_blocks_weights_inside_a_backbone_are_those_of_its_own_attention():
    from torchvision.models import VisionTransformer

    torch.manual_seed(0)
    body = VisionTransformer(image_size=8, patch_size=4, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=8)
    module = nn.Sequential(body.eval())
    x = torch.rand(1, 3, 8, 8)
    weights, residual = attention_weights(module, x, (0,), block=1)
    seen: list[torch.Tensor] = []
    attention = body.encoder.layers[1].self_attention
    handle = attention.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        module(x)
        handle.remove()
        assert np.allclose(weights, by_hand(attention, seen[0][0]), atol=1e-6)
    assert residual < 1e-5
