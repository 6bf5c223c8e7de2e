"""The estimate of an epoch grows with what is done, and counts what it says. Its error is measured by benchmarks.estimate."""

import pytest

from core.models import estimate
from core.models.estimate import EVALUATED_TRAIN, epoch_seconds
from core.models.layers.activation import ReLU
from core.models.layers.backbone import Backbone
from core.models.layers.containers import Residual
from core.models.layers.linear import Linear
from core.models.model import ModelSpec, infer
from core.models.presets import preset

MLP = infer(ModelSpec(layers=(Linear(out_features=5),)), (3,))


def seconds(model: ModelSpec, shape, n_train: int = 1000, batch_size: int = 50, n_validation: int = 200) -> float:
    return epoch_seconds(infer(model, shape), n_train, batch_size, n_validation)


def test_one_layer_by_hand():
    step = estimate.STEP_S + estimate.MODULE_S + 20 * estimate.PARAMETER_S  # 3 × 5 weights and 5 biases
    example = 15 * estimate.MULTIPLY_ADD_S + (3 + 5) * estimate.NUMBER_S
    assert epoch_seconds(MLP, 100, 30, 40) == pytest.approx(4 * step + (3 * 100 + 100 + 40) * example)


def test_only_a_sample_of_a_large_training_split_is_looked_at_again():
    example = 15 * estimate.MULTIPLY_ADD_S + 8 * estimate.NUMBER_S
    n = 10 * EVALUATED_TRAIN
    steps = epoch_seconds(MLP, n, n, 0) - (3 * n + EVALUATED_TRAIN) * example
    assert steps == pytest.approx(estimate.STEP_S + estimate.MODULE_S + 20 * estimate.PARAMETER_S)


def test_it_grows_with_examples_and_shrinks_with_larger_batches():
    model, shape = preset("cnn-8x8").model(10), (1, 8, 8)
    assert seconds(model, shape, n_train=2000) > 1.9 * seconds(model, shape, n_train=1000)
    assert seconds(model, shape, batch_size=10) > seconds(model, shape, batch_size=100)
    assert seconds(model, shape, n_validation=1000) > seconds(model, shape, n_validation=0)


def test_layers_inside_a_container_count_as_they_would_outside():
    inner = (Linear(out_features=8), ReLU())
    plain, nested = ModelSpec(layers=inner), ModelSpec(layers=(Residual(layers=inner),))
    assert seconds(nested, (8,)) == pytest.approx(seconds(plain, (8,)))


def test_a_frozen_backbone_takes_about_a_third():
    frozen, trained = (ModelSpec(layers=(Backbone(frozen=flag), Linear())) for flag in (True, False))
    share = seconds(frozen, (3, 64, 64), n_validation=0) / seconds(trained, (3, 64, 64), n_validation=0)
    assert 0.25 < share < 0.55  # with the evaluation, which costs both the same


def test_reading_step_by_step_is_counted_per_step():
    short, long = (seconds(preset("lstm").model(2, 50), (length,)) for length in (10, 20))
    assert long > short + 20 * 10 * estimate.PLACE_S


def test_a_stack_that_does_not_fit_takes_no_time():
    assert seconds(ModelSpec(layers=(Linear(),)), (1, 8, 8)) == 0.0
    assert epoch_seconds(MLP, 0, 32, 0) == 0.0
    assert seconds(ModelSpec(), (4,)) > 0.0
