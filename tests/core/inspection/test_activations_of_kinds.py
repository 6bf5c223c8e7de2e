"""Activation maps of sentences, of containers, of numbers and of one output for two classes."""

import numpy as np
import pytest
import torch

from core.inspection.activations import activation_maps
from core.models.model import build
from core.results.activations import ActivationMaps
from core.results.codec import load_result, result_bytes
from tests.core.samples import linear, stack

EMBEDDING = ("Embedding", {"num_embeddings": 20, "embedding_dim": 4})
READERS = {
    "LSTM": (("LSTM", {"hidden_size": 5}),),
    "both directions": (("GRU", {"hidden_size": 3, "bidirectional": True, "returns": "sequence"}), ("PoolTime", {})),
    "attention": (("TransformerEncoder", {"num_heads": 2}), ("PoolTime", {})),
    "convolution": (("Conv1d", {"out_channels": 6, "kernel_size": 3}), "ReLU", ("PoolTime", {"reduce": "max"})),
}
TOKENS = torch.tensor([[0, 0, 5, 7, 1, 19]])


@pytest.mark.parametrize("reader", READERS)
def test_every_map_of_a_sentence_is_what_its_layer_gives(reader):
    spec = stack(EMBEDDING, *READERS[reader], linear(2))
    model = build(spec, (6,), 0).eval()
    found = activation_maps(model, TOKENS, 1, ("bad", "good"), 3, [layer.kind for layer in spec.layers])
    value = TOKENS
    with torch.no_grad():
        for layer, seen in zip(model, found.maps, strict=True):
            value = layer(value)
            assert np.allclose(seen, value[0].numpy(), atol=1e-5)
    assert found.maps[0].shape == (6, 4)
    assert found.input.dtype == np.int64
    assert found.input.tolist() == TOKENS[0].tolist()
    assert found.layer_names[0] == "1 Embedding"
    assert found.layer_names[1].startswith("2 " + spec.layers[1].kind)


def test_a_container_is_one_layer_and_its_map_what_it_gives():
    inner = stack(linear(4), "Tanh").layers
    spec = stack(linear(4), ("Residual", {"layers": inner}), ("Parallel", {"branches": (inner, ())}), linear(2))
    model = build(spec, (3,), 0).eval()
    x = torch.randn(1, 3, generator=torch.Generator().manual_seed(0))
    found = activation_maps(model, x, 0, ("a", "b"), 0, [layer.kind for layer in spec.layers])
    with torch.no_grad():
        first = model[0](x)
        second = first + torch.tanh(model[1].inner[0](first))
        third = torch.cat([torch.tanh(model[2].branches[0][0](second)), second], 1)
    assert found.layer_names == ("1 Linear", "2 Residual", "3 Parallel", "4 Linear")
    for seen, expected in zip(found.maps[:3], (first, second, third), strict=True):
        assert np.allclose(seen, expected[0], atol=1e-6)


def test_a_number_has_no_probabilities_and_a_record_of_it_comes_back_whole():
    found = activation_maps(build(stack(linear(1)), (3,), 0), torch.ones(1, 3), -1, (), 0)
    assert found.probabilities.shape == (0,)
    assert found.logits.shape == (1,)
    again = load_result(ActivationMaps, result_bytes(found))
    assert again.value is None
    assert again.probabilities.shape == (0,)


def test_one_output_gives_the_probabilities_of_both_classes():
    found = activation_maps(build(stack(linear(1)), (3,), 0), torch.ones(1, 3), 1, ("no", "yes"), 0)
    p = 1 / (1 + np.exp(-float(found.logits[0])))
    assert found.probabilities.tolist() == pytest.approx([1 - p, p], abs=1e-6)
