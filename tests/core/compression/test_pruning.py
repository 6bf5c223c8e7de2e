"""Masks are those of torch.nn.utils.prune, hold through training, and units that are taken out answer as masked ones."""

import copy
from dataclasses import replace

import pytest
import torch
from torch.nn.utils import prune

from core.compression.pruning import NOTHING, MagnitudePruning, RandomPruning, StructuredPruning
from core.compression.removal import cuts, n_kept
from core.models.model import build, infer
from tests.core.compression.materials import CNN, MLP, answers, material
from tests.core.samples import linear, stack

RESIDUAL = stack(linear(8), "ReLU", ("Residual", {"layers": stack(linear(6), "ReLU", linear(8)).layers}), linear(3))
MODELS = [pytest.param(MLP, (5,), id="mlp"), pytest.param(CNN, (2, 8, 8), id="cnn"), pytest.param(RESIDUAL, (5,), id="skip")]
SETTINGS = [
    MagnitudePruning(sparsity=0.4),
    MagnitudePruning(sparsity=0.4, scope="each layer"),
    RandomPruning(sparsity=0.4),
    RandomPruning(sparsity=0.4, scope="each layer", draw=3),
]


def weights(module):
    return [one for one in module.modules() if type(one).__name__ in ("Linear", "Conv2d")]


@pytest.mark.parametrize(("model", "shape"), MODELS)
@pytest.mark.parametrize("cls", [MagnitudePruning, RandomPruning, StructuredPruning])
def test_pruning_nothing_changes_no_bit(cls, model, shape):
    given = material(model, shape)
    before = copy.deepcopy(given.module.state_dict())
    made = cls(sparsity=0.0).compressed(given)
    assert cls(sparsity=0.0).plan(model, shape).model == model
    assert set(made.stored) == set(before)
    assert all(torch.equal(made.stored[name], value) for name, value in before.items())


def test_masks_are_those_of_torch():
    for scope in ("whole model", "each layer"):
        given = material(MLP, (5,))
        oracle = copy.deepcopy(given.module)
        if scope == "whole model":
            prune.global_unstructured([(one, "weight") for one in weights(oracle)], prune.L1Unstructured, amount=0.4)
        else:
            for one in weights(oracle):
                prune.l1_unstructured(one, "weight", amount=0.4)
        made = MagnitudePruning(sparsity=0.4, scope=scope).compressed(given)
        for ours, theirs in zip(weights(made.module), weights(oracle), strict=True):
            assert torch.equal(ours.weight != 0, theirs.weight_mask.bool())


@pytest.mark.parametrize("pruning", SETTINGS, ids=str)
def test_the_share_that_was_asked_for_is_zero(pruning):
    made = pruning.compressed(material(MLP, (5,)))
    sizes = [one.weight.numel() for one in weights(made.module)]
    zeros = [int((one.weight == 0).sum()) for one in weights(made.module)]
    if pruning.scope == "whole model":
        assert sum(zeros) == round(0.4 * sum(sizes))
    else:
        assert zeros == [round(0.4 * size) for size in sizes]


def test_lots_differ_by_draw_and_leave_the_global_randomness_alone():
    before = torch.random.get_rng_state()
    zeros = [RandomPruning(draw=draw).compressed(material(MLP, (5,))).stored["0.weight"] == 0 for draw in (0, 0, 1)]
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(zeros[0], zeros[1])
    assert not torch.equal(zeros[0], zeros[2])


@pytest.mark.parametrize("pruning", [*SETTINGS, StructuredPruning(sparsity=0.5)], ids=str)
def test_further_training_changes_the_rest_and_leaves_zeros_zero(pruning):
    still = pruning.compressed(material(RESIDUAL, (5,)))
    moved = pruning.but(epochs=2).compressed(material(RESIDUAL, (5,)))
    assert len(moved.losses) == 2
    assert moved.losses[1] < moved.losses[0]
    for name, before in still.stored.items():
        if name.endswith("weight"):
            assert not moved.stored[name][before == 0].any()
            assert not torch.equal(moved.stored[name], before)


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_the_units_that_stay_are_those_of_torch(norm):
    given = material(CNN, (2, 8, 8))
    pruning = StructuredPruning(sparsity=0.5, norm=norm)
    oracle = copy.deepcopy(given.module[0])
    prune.ln_structured(oracle, "weight", amount=0.5, n=int(norm[1]), dim=0)
    stays = oracle.weight_mask.flatten(1).any(1).nonzero()[:, 0]
    assert torch.equal(pruning.kept(given.module[0].weight, 0), stays)


def silence(state, cut, kept):
    """Make all units of this layer but `kept` give 0, in place: weights, bias, and what normalisations add to them."""
    gone = torch.ones(cut.n, dtype=torch.bool)
    gone[kept] = False
    for place, reads in ((cut.first, 1), *cut.between):
        for name in (f"{place}.weight", f"{place}.bias"):
            if name in state and len(state[name]) == cut.n * reads:
                state[name][gone.repeat_interleave(reads)] = 0


@pytest.mark.parametrize(("model", "shape"), MODELS[:2])
@pytest.mark.parametrize("sparsity", [0.3, 0.6, 0.99])
def test_taking_units_out_answers_as_masking_them(model, shape, sparsity):
    given = material(model, shape)
    masked = copy.deepcopy(given.module)
    state, pruning = copy.deepcopy(given.module.state_dict()), StructuredPruning(sparsity=sparsity)
    for cut in cuts(model, shape):
        silence(state, cut, pruning.kept(given.module[cut.first].weight, 0))
    masked.load_state_dict(state)
    made = pruning.compressed(given)
    smaller = pruning.plan(model, shape).model
    assert infer(smaller, shape).multiply_adds < infer(model, shape).multiply_adds
    torch.testing.assert_close(answers(made.module, given), answers(masked, given), atol=1e-6, rtol=1e-5)
    build(smaller, shape, 0).load_state_dict(made.module.state_dict())


def test_frozen_layers_are_pruned_but_not_trained():
    still = MagnitudePruning().compressed(material(MLP, (5,)))
    moved = MagnitudePruning(epochs=1).compressed(replace(material(MLP, (5,)), frozen=(0,)))
    assert torch.equal(still.stored["0.weight"], moved.stored["0.weight"])
    assert not torch.equal(still.stored["2.weight"], moved.stored["2.weight"])


def test_where_units_cannot_go_they_are_masked():
    plan = StructuredPruning(sparsity=0.5).plan(RESIDUAL, (5,))
    assert plan.model == RESIDUAL
    assert set(plan.treated) == {(0,), (2, 0, 0), (2, 0, 2)}
    made = StructuredPruning(sparsity=0.5).compressed(material(RESIDUAL, (5,)))
    rows = made.stored["2.inner.0.weight"].abs().sum(1)
    assert int((rows == 0).sum()) == 3
    assert bool((made.stored["3.weight"] != 0).all())


def test_a_transposed_convolution_loses_output_channels():
    model = stack(("ConvTranspose2d", {"out_channels": 4}), "ReLU", "Flatten", linear(3))
    made = StructuredPruning(sparsity=0.5).compressed(material(model, (2, 3, 3)))
    assert (made.stored["0.weight"].abs().sum((0, 2, 3)) == 0).sum() == 2


def test_at_least_one_unit_stays():
    assert [n_kept(n, 0.99) for n in (1, 2, 50, 200)] == [1, 1, 1, 2]


def test_what_is_left_alone_is_said_with_the_reason():
    model = stack(("Embedding", {"num_embeddings": 9}), ("LSTM", {"returns": "last"}), linear(3))
    plan = MagnitudePruning().plan(model, (6,))
    assert plan.treated == ((2,),)
    assert [path for path, _ in plan.left] == [(0,), (1,)]
    profile = material(MLP, (5,)).splits.profile
    assert MagnitudePruning().reason_against(profile, stack("Flatten")) == NOTHING
    assert "no hidden" in StructuredPruning().reason_against(profile, stack(linear(3)))
