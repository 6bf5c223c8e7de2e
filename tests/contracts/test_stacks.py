"""Random stacks of every layer: inference equals torch, the linter never fails, and its fixes do fix."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from core.errors import ShapeError
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.shape import Flatten
from core.models.lint import lint
from core.models.model import ModelSpec, build, infer
from core.spec import parse_json
from tests.contracts.layer_strategies import MAPS, SHAPES, STACKS, layers_of

CLASSES = st.integers(1, 12)


def mend(model: ModelSpec, shape, n_classes: int) -> ModelSpec:
    """The model after the first error's fix has been applied again and again, until no error has one."""
    for _ in range(4 * len(model.layers) + 8):
        found = lint(model, shape, n_classes)
        fixes = [finding.fix for finding in found if finding.severity == "error" and finding.fix is not None]
        if not fixes:
            return model
        model = fixes[0].spec
    raise AssertionError(f"fixes go on for ever at {model}")


def behind_the_error(model: ModelSpec, shape) -> int:
    """Layers from the shape error to the end; 0 without one."""
    index = infer(model, shape).error_index
    return 0 if index is None else len(model.layers) - index


@settings(max_examples=150, deadline=None)
@given(STACKS, SHAPES, CLASSES)
def test_the_linter_never_raises_and_every_fix_removes_its_finding(model, shape, n_classes):
    limit = 100_000
    findings = lint(model, shape, n_classes, limit)
    before = Counter(found.code for found in findings)
    for found in findings:
        assert found.message.endswith(".")
        if found.fix is None:
            continue
        if found.code == "shape-mismatch":
            assert behind_the_error(found.fix.spec, shape) < behind_the_error(model, shape)
        else:
            after = Counter(again.code for again in lint(found.fix.spec, shape, n_classes, limit))
            assert after[found.code] < before[found.code], found


@settings(max_examples=100, deadline=None)
@given(STACKS, SHAPES, CLASSES)
def test_following_the_fixes_ends_in_a_model_that_torch_runs(model, shape, n_classes):
    mended = mend(model, shape, n_classes)
    left = {found.code for found in lint(mended, shape, n_classes) if found.severity == "error"}
    assert left <= {"too-many-parameters"}
    inference = infer(mended, shape)
    assert inference.out_shape == (n_classes,)
    with torch.device("meta"):
        module = build(mended, shape, seed=0)
        assert module(torch.empty(2, *shape)).shape == (2, n_classes)
    assert sum(weights.numel() for weights in module.parameters()) == inference.n_parameters


@settings(max_examples=80, deadline=None)
@given(STACKS, SHAPES)
def test_every_shape_on_the_way_equals_torch_and_layers_behind_an_error_are_blocked(model, shape):
    inference = infer(model, shape)
    index = inference.error_index
    good = model.layers if index is None else model.layers[:index]
    with torch.device("meta"):
        batch = torch.empty(2, *shape)
        for info, module in zip(inference.layers, build(ModelSpec(layers=good), shape, seed=0), strict=False):
            assert info.in_shape == tuple(batch.shape[1:])
            batch = module(batch)
            assert info.out_shape == tuple(batch.shape[1:])
    if index is None:
        assert inference.out_shape == tuple(batch.shape[1:])
    else:
        assert inference.out_shape is None
        assert all(info.is_blocked and info.error is None for info in inference.layers[index + 1 :])
        with pytest.raises(ShapeError) as caught:
            build(model, shape, seed=0)
        assert caught.value.message.startswith(f"Layer {index + 1} {model.layers[index].kind} ")


@settings(max_examples=60, deadline=None)
@given(st.lists(layers_of(Conv2d), max_size=4), st.lists(layers_of(Linear), max_size=3), MAPS)
def test_multiply_adds_are_half_of_torchs_flop_count(convolutions, linears, shape):
    layers = []
    for layer in (*convolutions, Flatten(), *linears):  # keep what fits
        if infer(ModelSpec(layers=(*layers, layer)), shape).out_shape is not None:
            layers.append(layer)
    model = ModelSpec(layers=tuple(layers))
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        build(model, shape, seed=0)(torch.empty(1, *shape))
    assert counter.get_total_flops() == 2 * infer(model, shape).multiply_adds


@settings(max_examples=40, deadline=None)
@given(STACKS)
def test_a_stack_survives_its_json(model):
    assert parse_json(ModelSpec, model.model_dump_json()) == model
