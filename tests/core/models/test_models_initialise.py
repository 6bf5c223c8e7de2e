"""Weights start as model and layer ask: torch.nn.init's numbers for the same seed, and the spread that the papers promise."""

import math

import pytest
import torch
from torch import nn

from core.models.init import (
    AnyInit,
    ConstantInit,
    HeInit,
    NormalInit,
    OrthogonalInit,
    TorchDefault,
    UniformInit,
    XavierInit,
    ZerosInit,
)
from core.models.initialise import initialise
from core.models.layers.activation import PReLU, ReLU
from core.models.layers.attention import SelfAttention, TransformerEncoder
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d, ConvTranspose2d
from core.models.layers.embedding import Embedding, PatchEmbed, PositionalEncoding
from core.models.layers.linear import Linear
from core.models.layers.recurrent import LSTM
from core.models.layers.regularization import BatchNorm1d, GroupNorm, LayerNorm
from core.models.layers.sequence import Conv1d
from core.models.model import ModelSpec, build
from core.seeds import stream_seed
from core.spec import choices

BY_HAND = {
    "default": lambda tensor: tensor,
    "he": lambda tensor: nn.init.kaiming_normal_(tensor, nonlinearity="relu"),
    "xavier": nn.init.xavier_uniform_,
    "orthogonal": nn.init.orthogonal_,
    "normal": lambda tensor: nn.init.normal_(tensor, std=0.05),
    "uniform": lambda tensor: nn.init.uniform_(tensor, -0.05, 0.05),
    "zeros": nn.init.zeros_,
    "constant": lambda tensor: nn.init.constant_(tensor, 0.1),
}


def equal(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize("cls", choices(AnyInit), ids=lambda cls: cls.kind_name())
def test_numbers_are_those_of_torchs_own_function_with_the_same_seed(cls):
    model = ModelSpec(
        layers=(Conv2d(out_channels=4), ReLU(), Conv2d(out_channels=2)), init=cls(), bias_init=ConstantInit(val=0.5)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(7, "init"))
        by_hand = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))  # first all are made, then all start
        for layer in (by_hand[0], by_hand[2]):
            with torch.no_grad():
                BY_HAND[cls.kind_name()](layer.weight)
                layer.bias.fill_(0.5)
    assert equal(build(model, (3, 8, 8), seed=7), by_hand)


def test_torchs_default_draws_nothing_and_changes_nothing():
    layers = (Linear(out_features=8), LayerNorm(), Linear(out_features=3))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(3, "init"))
        by_hand = nn.Sequential(nn.Linear(5, 8), nn.LayerNorm(8), nn.Linear(8, 3))
        state = torch.get_rng_state()
        initialise(layers, list(by_hand), TorchDefault(), TorchDefault())
        assert torch.equal(torch.get_rng_state(), state)
    assert equal(build(ModelSpec(layers=layers), (5,), seed=3), by_hand)


@pytest.mark.parametrize(
    ("init", "std"),
    [
        (HeInit(), math.sqrt(2 / 900)),
        (HeInit(distribution="uniform"), math.sqrt(2 / 900)),
        (XavierInit(), math.sqrt(2 / (900 + 450))),
        (XavierInit(distribution="normal", gain=2.0), 2 * math.sqrt(2 / (900 + 450))),
        (NormalInit(std=0.3), 0.3),
        (UniformInit(bound=0.3), 0.3 / math.sqrt(3)),
        (TorchDefault(), 1 / math.sqrt(3 * 900)),
        (ZerosInit(), 0.0),
    ],
)
def test_the_spread_is_the_papers(init, std):
    """A convolution of 100 × 3 × 3 inputs and 50 × 3 × 3 outputs: fan_in 900, fan_out 450; 45,000 weights."""
    module = build(ModelSpec(layers=(Conv2d(out_channels=50),), init=init), (100, 4, 4), seed=0)
    assert module[0].weight.std().item() == pytest.approx(std, rel=0.02)
    assert abs(module[0].weight.mean().item()) <= 5 * std / math.sqrt(45_000)


def test_orthogonal_rows_are_orthogonal_with_the_length_of_the_gain():
    module = build(ModelSpec(layers=(Linear(out_features=6),), init=OrthogonalInit(gain=2.0)), (9,), seed=0)
    weights = module[0].weight
    assert torch.allclose(weights @ weights.T, 4 * torch.eye(6), atol=1e-5)


def test_a_layers_own_start_goes_before_the_models():
    model = ModelSpec(
        layers=(Linear(init=ConstantInit(val=2.0), bias_init=ConstantInit(val=3.0)), Linear()),
        init=ConstantInit(val=4.0),
        bias_init=ZerosInit(),
    )
    own, others = build(model, (3,), seed=0)
    assert [part.unique().tolist() for part in (own.weight, own.bias, others.weight, others.bias)] == [[2], [3], [4], [0]]


def test_containers_start_what_they_hold_and_a_projection_follows_the_model():
    inner = (Linear(out_features=4, init=ConstantInit(val=1.0)), Residual(layers=(Linear(out_features=5),)))
    model = ModelSpec(layers=(Parallel(branches=((Linear(),), inner)),), init=ConstantInit(val=2.0), bias_init=ZerosInit())
    (module,) = build(model, (3,), seed=0)
    first, second = module.branches
    assert (first[0].weight == 2).all()
    assert (second[0].weight == 1).all()
    residual = second[1]
    for linear in (residual.inner[0], residual.projection):
        assert (linear.weight == 2).all()
        assert (linear.bias == 0).all()


NINES = {"init": ConstantInit(val=9.0), "bias_init": ConstantInit(val=9.0)}


@pytest.mark.parametrize(
    ("layer", "shape", "untouched"),
    [
        (Linear(), (4,), set()),
        (Conv2d(), (2, 6, 6), set()),
        (ConvTranspose2d(), (2, 6, 6), set()),
        (Conv1d(), (8, 4), set()),
        (LSTM(num_layers=2, bidirectional=True), (5, 4), set()),
        (SelfAttention(), (5, 4), set()),
        (TransformerEncoder(), (5, 4), {"norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"}),
        (PatchEmbed(class_token=True), (1, 8, 8), {"class_token"}),
        (PositionalEncoding(encoding="learned"), (5, 4), {"places"}),
        (PReLU(per_channel=True), (4,), {"weight"}),
        (BatchNorm1d(), (4,), {"weight", "bias"}),
        (LayerNorm(), (4, 3, 3), {"weight", "bias"}),
        (GroupNorm(), (4, 3, 3), {"weight", "bias"}),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_weights_and_biases_start_and_norms_slopes_and_tokens_stay(layer, shape, untouched):
    (plain,) = build(ModelSpec(layers=(layer,)), shape, seed=0)
    (started,) = build(ModelSpec(layers=(layer,), **NINES), shape, seed=0)
    for (name, before), after in zip(plain.named_parameters(), started.parameters(), strict=True):
        if name in untouched:
            assert torch.equal(after, before), name
        else:
            assert (after == 9).all(), name
    assert untouched <= {name for name, _ in plain.named_parameters()}


def test_the_padding_of_an_embedding_stays_zero():
    (module,) = build(ModelSpec(layers=(Embedding(num_embeddings=5),), **NINES), (3,), seed=0)
    assert (module.weight[0] == 0).all()
    assert (module.weight[1:] == 9).all()


def test_weights_of_a_file_come_after_all_else(monkeypatch):
    asked = []

    def fill(module: nn.Module, digest: str) -> None:
        assert (module[0].weight == 9).all()
        asked.append(digest)

    monkeypatch.setattr("core.models.weights.fill", fill)
    build(ModelSpec(layers=(Linear(),), weights="ab" * 32, **NINES), (4,), seed=0)
    assert asked == ["ab" * 32]


def test_every_start_leaves_the_random_state_and_works_on_the_meta_device():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    for cls in choices(AnyInit):
        with torch.device("meta"):
            build(ModelSpec(layers=(Conv2d(), Conv2d()), init=cls()), (3, 8, 8), seed=0)
        build(ModelSpec(layers=(Conv2d(),), init=cls()), (3, 8, 8), seed=0)
    assert torch.equal(torch.get_rng_state(), before)
