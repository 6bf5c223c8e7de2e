"""Presets fit what they say they fit, learn, and are the networks that the articles describe."""

import pytest
import torch
from torch.nn import functional

from core.errors import SpecError
from core.models.lint import lint
from core.models.look import Context
from core.models.model import build, infer
from core.models.presets import PRESETS, preset

SHAPES = [(2,), (30,), (1, 1, 1), (1, 8, 8), (1, 28, 28), (3, 32, 32)]
DIGIT = (1, 28, 28)
TOKENS = [((6,), 5), ((23,), 110)]
"""Length and vocabulary of token data."""
INPUTS = [*((shape, 0) for shape in SHAPES), *TOKENS]
each_preset = pytest.mark.parametrize("each", PRESETS, ids=lambda each: each.name)


def fitting(each):
    """The inputs above that it fits: at least one."""
    found = [(shape, n_tokens) for shape, n_tokens in INPUTS if each.fits(shape, n_tokens)]
    assert found
    return found


def examples(shape, n_tokens, n):
    generator = torch.Generator().manual_seed(0)
    if n_tokens:
        return torch.randint(0, n_tokens, (n, *shape), generator=generator)
    return torch.randn(n, *shape, generator=generator)


@pytest.mark.parametrize(
    ("name", "n_parameters"),
    [
        ("mlp-128-128", 118_282),
        ("cnn-32-64", 121_930),
        ("cnn-32-64-printed", 121_930 - 9 * 65),
        ("mlp-100-50", 84_060),
        ("mlp-100-50-printed", 84_060),
        ("mlp-1000-128-64", 922_034),
        ("mlp-64-64", 55_050),
        ("logistic", 7_850),
        ("lenet-5", 61_706),
    ],
)
def test_a_preset_has_the_parameters_of_its_article_on_28_by_28_digits(name, n_parameters):
    assert infer(preset(name).model(10), DIGIT).n_parameters == n_parameters


def test_the_articles_cnn_has_2528000_multiply_adds():
    assert infer(preset("cnn-32-64").model(10), DIGIT).multiply_adds == 2_528_000


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("mlp-128-128", [784, 128, 128, 128, 128, 10]),
        ("mlp-100-50-printed", [784, 100, 50, 10]),
        ("mlp-1000-128-64", [784, 1000, 1000, 128, 128, 64, 64, 10]),
        ("mlp-64-64", [784, 64, 64, 64, 64, 10]),
    ],
)
def test_the_articles_networks_have_the_layers_that_were_printed(name, widths):
    assert [info.out_shape for info in infer(preset(name).model(10), DIGIT).layers] == [(width,) for width in widths]


def test_the_plane_mlp_has_the_layers_2_8_8_2():
    inference = infer(preset("mlp-2d").model(2), (2,))
    assert [info.out_shape for info in inference.layers] == [(8,), (8,), (8,), (8,), (2,)]


def test_lenet_has_the_maps_of_1998():
    shapes = [info.out_shape for info in infer(preset("lenet-5").model(10), DIGIT).layers]
    assert [shapes[index] for index in (0, 2, 3, 5)] == [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5)]
    assert [shapes[index] for index in (6, 7, 9, 11)] == [(400,), (120,), (84,), (10,)]


@each_preset
def test_a_preset_without_a_warning_has_no_findings_on_any_input_it_fits(each):
    for shape, n_tokens in fitting(each):
        found = lint(each.model(4, n_tokens), shape, 4, context=Context(n_classes=4, n_tokens=n_tokens))
        grave = [finding.code for finding in found if finding.severity != "info"]
        assert bool(grave) == bool(each.warning)


@each_preset
@pytest.mark.parametrize("n_outputs", [1, 4])
def test_a_preset_gives_the_outputs_asked_for_and_those_that_were_printed_give_theirs(each, n_outputs):
    for shape, n_tokens in fitting(each):
        model = each.model(n_outputs, n_tokens)
        out = build(model, shape, seed=0)(examples(shape, n_tokens, 2))
        assert out.shape[1:] == infer(model, shape).out_shape == ((1,) if each.head else (n_outputs,))


@each_preset
def test_a_preset_learns_a_small_batch_by_heart(each):
    shape, n_tokens = fitting(each)[-1 if fitting(each)[-1][1] else 0]
    shape = (1, 16, 16) if each.fits((1, 16, 16)) else shape
    x, y = examples(shape, n_tokens, 8), torch.arange(8) % 2
    module = build(each.model(2, n_tokens), shape, seed=0)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        out = module(x)
        loss = functional.binary_cross_entropy(out[:, 0], y.float()) if each.head else functional.cross_entropy(out, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


def test_only_presets_that_fit_are_offered():
    offered = {shape: {each.name for each in PRESETS if each.fits(shape, n_tokens)} for shape, n_tokens in INPUTS}
    small = {"logistic", "mlp-128-128", "mlp-100-50", "mlp-100-50-printed", "mlp-1000-128-64", "mlp-64-64", "resnet-tiny"}
    medium = small | {"cnn-8x8", "vgg-tiny", "vit-tiny"}
    assert offered[2,] == offered[30,] == {"mlp-2d", "mlp-tabular", "logistic"}
    assert offered[1, 1, 1] == small
    assert offered[1, 8, 8] == medium
    assert offered[1, 28, 28] == offered[3, 32, 32] == medium | {"cnn-32-64", "cnn-32-64-printed", "lenet-5"}
    assert offered[6,] == offered[23,] == {"lstm", "attention"}


def test_a_network_for_classes_alone_is_not_offered_for_regression():
    offered = {each.name for each in PRESETS if each.fits(DIGIT, task="regression")}
    assert "cnn-32-64" in offered
    assert "cnn-32-64-printed" not in offered


@pytest.mark.parametrize("name", ["lstm", "attention"])
def test_a_preset_for_tokens_has_a_vector_for_each_and_needs_to_know_how_many(name):
    assert preset(name).model(2, 77).layers[0].num_embeddings == 77
    for n_tokens in (0, 1, 60_000):
        assert not preset(name).fits((12,), n_tokens)
        with pytest.raises(SpecError, match=f"the vocabulary has {n_tokens:,}"):
            preset(name).model(2, n_tokens)


def test_every_preset_that_was_printed_wrongly_says_so_and_has_a_corrected_twin():
    wrong = [each for each in PRESETS if each.warning]
    assert {each.name: each.twin for each in wrong} == {
        "cnn-32-64-printed": "cnn-32-64",
        "mlp-100-50-printed": "mlp-100-50",
    }
    for each in wrong:
        assert not preset(each.twin).warning
        assert each.name == f"{each.twin}-printed"
    assert not any(each.twin for each in PRESETS if not each.warning)


def test_the_network_without_activations_is_one_linear_layer_and_its_twin_is_not():
    first, second = examples(DIGIT, 0, 2)
    for name, is_affine in (("mlp-100-50-printed", True), ("mlp-100-50", False)):
        module = build(preset(name).model(10), DIGIT, seed=0)
        between = module((0.3 * first + 0.7 * second)[None])
        mixed = 0.3 * module(first[None]) + 0.7 * module(second[None])
        assert torch.allclose(between, mixed, atol=1e-5) == is_affine


def test_the_printed_cnns_loss_falls_below_zero_and_rewards_the_answer_1():
    out = build(preset("cnn-32-64-printed").model(10), DIGIT, seed=0)(examples(DIGIT, 0, 3))
    assert ((out > 0) & (out < 1)).all()  # one probability, whatever the number of classes

    def printed_loss(logit, label):
        return functional.binary_cross_entropy_with_logits(torch.tensor(logit), torch.tensor(float(label))).item()

    assert printed_loss(3.0, 7) < 0
    assert printed_loss(30.0, 7) < printed_loss(3.0, 7)


def test_names_are_unique_and_a_wrong_one_gets_the_nearest():
    assert len({each.name for each in PRESETS}) == len(PRESETS)
    assert len({each.label for each in PRESETS}) == len(PRESETS)
    assert all(each.about.endswith(".") for each in PRESETS)
    with pytest.raises(SpecError, match="Did you mean 'cnn-32-64'"):
        preset("cnn-32-65")
