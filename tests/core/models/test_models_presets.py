"""Presets fit what they say they fit, and are the networks that the seed articles describe."""

import pytest
import torch

from core.errors import SpecError
from core.models.lint import lint
from core.models.model import build, infer
from core.models.presets import PRESETS, preset

SHAPES = [(2,), (30,), (1, 1, 1), (1, 8, 8), (1, 28, 28), (3, 32, 32)]


def test_the_articles_mlp_has_118282_parameters():
    assert infer(preset("mlp-128-128").model(10), (1, 28, 28)).n_parameters == 118_282


def test_the_articles_cnn_has_121930_parameters_and_2528000_multiply_adds():
    inference = infer(preset("cnn-32-64").model(10), (1, 28, 28))
    assert (inference.n_parameters, inference.multiply_adds) == (121_930, 2_528_000)


def test_the_plane_mlp_has_the_layers_2_8_8_2():
    inference = infer(preset("mlp-2d").model(2), (2,))
    assert [info.out_shape for info in inference.layers] == [(8,), (8,), (8,), (8,), (2,)]


@pytest.mark.parametrize("each", PRESETS, ids=lambda each: each.name)
def test_a_preset_has_no_findings_on_any_input_it_fits(each):
    fitting = [shape for shape in SHAPES if each.fits(shape)]
    assert fitting
    for shape in fitting:
        assert lint(each.model(4), shape, 4) == ()
        with torch.device("meta"):
            assert build(each.model(4), shape, seed=0)(torch.empty(2, *shape)).shape == (2, 4)


def test_only_presets_that_fit_are_offered():
    offered = {shape: {each.name for each in PRESETS if each.fits(shape)} for shape in SHAPES}
    assert offered[2,] == {"mlp-2d", "mlp-tabular", "logistic"}
    assert offered[1, 8, 8] == {"logistic", "mlp-128-128", "cnn-8x8"}
    assert offered[1, 28, 28] == {"logistic", "mlp-128-128", "cnn-8x8", "cnn-32-64"}


def test_names_are_unique_and_a_wrong_one_gets_the_nearest():
    assert len({each.name for each in PRESETS}) == len(PRESETS)
    with pytest.raises(SpecError, match="Did you mean 'cnn-32-64'"):
        preset("cnn-32-65")
