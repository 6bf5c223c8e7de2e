"""Layers over sequences say of themselves, without torch, what torch does."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from core.errors import ShapeError
from core.models.layers.attention import SelfAttention, TransformerEncoder
from core.models.layers.embedding import Embedding, PatchEmbed, PositionalEncoding
from core.models.layers.recurrent import GRU, LSTM, RNN
from core.models.layers.sequence import Conv1d, MaxPool1d, PoolTime

SIZES = st.integers(1, 12)
LONG = st.tuples(st.integers(5, 12), st.sampled_from([6, 12]))
SHAPES = st.one_of(st.tuples(SIZES), st.tuples(SIZES, SIZES), LONG, st.tuples(SIZES, SIZES, SIZES))
RATES = st.sampled_from([0.0, 0.25])
RECURRENT = {
    "hidden_size": st.integers(1, 9),
    "num_layers": st.integers(1, 4),
    "bidirectional": st.booleans(),
    "dropout": RATES,
    "returns": st.sampled_from(["last", "sequence"]),
}
FIELDS = {
    Embedding: {"num_embeddings": st.integers(2, 50), "embedding_dim": SIZES},
    PositionalEncoding: {"encoding": st.sampled_from(["sinusoidal", "learned"])},
    PatchEmbed: {"patch_size": st.integers(1, 4), "embedding_dim": SIZES, "class_token": st.booleans()},
    Conv1d: {
        "out_channels": SIZES,
        "kernel_size": st.integers(1, 5),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 3),
        "dilation": st.integers(1, 3),
        "groups": st.sampled_from([1, 1, 1, 2, 3]),
        "bias": st.booleans(),
    },
    MaxPool1d: {"kernel_size": st.integers(1, 5), "stride": st.one_of(st.none(), st.integers(1, 4))},
    PoolTime: {"reduce": st.sampled_from(["mean", "max", "last", "first"])},
    RNN: RECURRENT | {"nonlinearity": st.sampled_from(["tanh", "relu"])},
    LSTM: RECURRENT,
    GRU: RECURRENT,
    SelfAttention: {"num_heads": st.sampled_from([1, 1, 2, 3]), "dropout": RATES},
    TransformerEncoder: {
        "num_heads": st.sampled_from([1, 1, 2, 3]),
        "dim_feedforward": SIZES,
        "dropout": RATES,
        "activation": st.sampled_from(["relu", "gelu"]),
        "norm_first": st.booleans(),
    },
}
TORCH_TAKES_TOO = {
    Embedding: lambda layer, shape: len(shape) > 1,  # torch looks up numbers of any shape
    PoolTime: lambda layer, shape: len(shape) != 2,  # and pools the second axis, whatever it is
    PatchEmbed: lambda layer, shape: len(shape) == 3 and min(shape[1:]) >= layer.patch_size,  # drops what is left over
}
"""Our documented refusals: what torch would take."""

each_class = pytest.mark.parametrize("cls", FIELDS, ids=lambda cls: cls.__name__)


def fitting_shape(cls):
    return {Embedding: (10,), PatchEmbed: (2, 8, 12)}.get(cls, (10, 12))


def batch_of(cls, shape, n=3):
    """Token numbers for Embedding, numbers of both signs for all others."""
    if cls is Embedding:
        return torch.arange(n * math.prod(shape)).reshape(n, *shape) % 5
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def torch_result(layer, shape):
    """Shape and parameter count of the built module on a batch of two; None where torch refuses."""
    with torch.device("meta"):
        try:
            module = layer.build(shape)
            out = module(torch.zeros(2, *shape, dtype=torch.int64 if isinstance(layer, Embedding) else torch.float32))
        except (ValueError, RuntimeError, IndexError, AssertionError):
            return None
    return tuple(out.shape[1:]), sum(weights.numel() for weights in module.parameters())


def our_result(layer, shape):
    try:
        return layer.out_shape(shape), layer.n_parameters(shape)
    except ShapeError as refused:
        error = refused
    assert error.message.startswith(layer.kind)
    assert error.hint.endswith(".")
    return None


@each_class
def test_shape_and_parameters_equal_torch_and_what_torch_refuses_is_refused(cls):
    @settings(max_examples=50, deadline=None)
    @given(st.builds(cls, **FIELDS[cls]), SHAPES)
    def holds(layer, shape):
        ours = our_result(layer, shape)
        if ours is None and TORCH_TAKES_TOO.get(cls, lambda layer, shape: False)(layer, shape):
            return
        assert ours == torch_result(layer, shape)

    holds()
    assert our_result(cls(), fitting_shape(cls)) == torch_result(cls(), fitting_shape(cls)) is not None


@each_class
def test_multiply_adds_are_half_of_torchs_flop_count(cls):
    @settings(max_examples=12, deadline=None)
    @given(st.builds(cls, **FIELDS[cls]), SHAPES)
    def holds(layer, shape):
        if our_result(layer, shape) is None:
            return
        with torch.device("meta"), FlopCounterMode(display=False) as counter:
            layer.build(shape)(torch.zeros(1, *shape, dtype=torch.int64 if cls is Embedding else torch.float32))
        assert counter.get_total_flops() == 2 * layer.multiply_adds(shape)

    holds()


@each_class
def test_every_field_is_drawn_here_has_help_and_survives_json(cls):
    assert set(FIELDS[cls]) == {name for name in cls.knobs() if name not in ("init", "bias_init")}
    assert all(info.description for info in cls.knobs().values())
    assert cls.label
    assert cls.source
    assert cls.model_validate_json(cls().model_dump_json()) == cls()


@each_class
def test_a_layer_keeps_its_input_and_gives_the_same_again_after_copying_and_reloading(cls):
    shape = fitting_shape(cls)
    batch = batch_of(cls, shape)
    before = batch.clone()
    module = cls().build(shape).eval()
    out = module(batch)
    assert torch.equal(batch, before)
    assert torch.equal(module(batch), out)
    assert torch.equal(copy.deepcopy(module)(batch), out)
    other = cls().build(shape).eval()
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(batch), out)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Conv1d(kernel_size=3, dilation=2, stride=2, padding=2), (40, 3)),
        (Conv1d(kernel_size=5), (40, 3)),
        (MaxPool1d(kernel_size=3, stride=2), (40, 3)),
        (MaxPool1d(kernel_size=4), (40, 3)),
        (PositionalEncoding(), (40, 3)),
    ],
)
def test_the_window_is_what_an_output_sees_of_the_input(layer, shape):
    module, window = layer.build(shape).eval(), layer.window(shape)
    seen = []
    for step in range(shape[0]):
        batch = torch.zeros(1, *shape)
        batch[0, step] = torch.nan  # spreads to every output that looks at this step
        seen.append(module(batch)[0].isnan().any(dim=1).numpy())
    seen = np.stack(seen, axis=1)  # (outputs, inputs)
    middle = [np.flatnonzero(row) for row in seen[4:8]]
    assert [row[-1] - row[0] + 1 for row in middle] == [window.size] * 4
    assert np.diff([row[0] for row in middle]).tolist() == [window.step] * 3


def test_a_patch_vector_sees_its_own_patch_alone():
    layer = PatchEmbed(patch_size=4)
    module = layer.build((1, 8, 12))
    image = torch.zeros(1, 1, 8, 12)
    image[0, 0, 5, 9] = torch.nan  # second row of patches, third in its row
    assert module(image)[0].isnan().any(dim=1).tolist() == [False] * 5 + [True]
    assert layer.window((1, 8, 12)).size == 4


MEASURED = [
    Embedding(),
    PositionalEncoding(),
    PatchEmbed(class_token=True),
    Conv1d(),
    PoolTime(),
    RNN(),
    RNN(num_layers=2, bidirectional=True),
    LSTM(),
    LSTM(num_layers=2, bidirectional=True),
    GRU(),
    GRU(num_layers=2, bidirectional=True),
    SelfAttention(),
    SelfAttention(dropout=0.1),
    TransformerEncoder(),
    TransformerEncoder(dropout=0.1),
    TransformerEncoder(norm_first=True, activation="gelu"),
]


@pytest.mark.parametrize("layer", MEASURED, ids=lambda layer: f"{layer.kind}-{layer.model_dump(exclude_defaults=True)}")
def test_activations_are_about_what_torch_holds_for_the_backward_pass(layer):
    n, shape = 16, {Embedding: (24,), PatchEmbed: (2, 8, 12)}.get(type(layer), (24, 16))
    module, batch = layer.build(shape), batch_of(type(layer), shape, n)
    if batch.is_floating_point():
        batch.requires_grad_()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers(), batch)}
    held = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            held[storage.data_ptr()] = (storage.nbytes(), tensor)  # the tensor too, so that no address comes twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        keep(module(batch))
    numbers = sum(nbytes for nbytes, _ in held.values()) / 4 / n
    if isinstance(layer, LSTM) and not torch.backends.mkldnn.is_available():
        pytest.skip("counted for oneDNN's workspace")
    assert layer.n_activations(shape) == pytest.approx(numbers, rel=0.35)


@pytest.mark.parametrize(
    ("layer", "shape", "text"),
    [
        (
            LSTM(),
            (12,),
            "LSTM needs a sequence of vectors (length × features) but receives a flat vector of 12. Put Embedding before it if "
            "these are token numbers, or let the recurrent layer before it return the sequence.",
        ),
        (
            SelfAttention(),
            (1, 8, 8),
            "SelfAttention needs a sequence of vectors (length × features) but receives 1 × 8 × 8. "
            "Put PatchEmbed before it, which makes a sequence of maps.",
        ),
        (
            SelfAttention(num_heads=4),
            (7, 10),
            "SelfAttention needs a number of features that 4 heads can share equally but receives 7 × 10. "
            "Set num_heads to a divisor of 10: 1, 2, 5, 10.",
        ),
        (
            PatchEmbed(patch_size=5),
            (1, 28, 12),
            "PatchEmbed needs maps whose height and width are multiples of 5 but receives 1 × 28 × 12. "
            "Set patch_size to a divisor of both sides: 1, 2, 4.",
        ),
        (
            Conv1d(kernel_size=9, padding=1),
            (6, 3),
            "Conv1d needs a sequence of at least 7 steps for its window of 9 with padding 1 but receives 6 × 3. "
            "Lower its kernel_size, or remove a pooling layer before it.",
        ),
        (
            MaxPool1d(kernel_size=4),
            (3, 2),
            "MaxPool1d needs a sequence of at least 4 steps for its window of 4 but receives 3 × 2. "
            "Lower its kernel_size, or remove a pooling layer before it.",
        ),
        (
            Embedding(),
            (5, 3),
            "Embedding needs a flat row of token numbers but receives 5 × 3. Remove it: these are vectors already.",
        ),
        (
            Conv1d(groups=4),
            (6, 10),
            "Conv1d needs a number of features that 4 groups can share equally but receives 6 × 10. "
            "Set groups to 1, or to a divisor of both the features and out_channels.",
        ),
    ],
)
def test_a_refusal_says_what_is_needed_what_came_and_what_to_do(layer, shape, text):
    with pytest.raises(ShapeError) as caught:
        layer.out_shape(shape)
    assert str(caught.value) == text
