"""Random stacks of every layer: inference equals torch, the linter never fails, and its fixes do fix."""

from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from core.errors import ShapeError
from core.models.lint import lint
from core.models.model import ModelSpec, all_layers, build, infer, layer_at, layer_number, stack_error
from core.spec import parse_json
from tests.contracts.layer_strategies import PLAIN_STACKS, SHAPES, STACKS, shapes_with_stacks

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
    """Layers from the shape error to the end, those inside containers too, in the order of the stack; 0 without an error."""
    path = infer(model, shape).error_path
    paths = [at for at, _ in all_layers(model.layers)]
    return 0 if path is None else len(paths) - paths.index(path)


@settings(max_examples=80, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(PLAIN_STACKS, SHAPES, CLASSES)
def test_following_the_fixes_ends_in_a_model_that_torch_runs(model, shape, n_classes):
    mended = mend(model, shape, n_classes)
    left = {found.code for found in lint(mended, shape, n_classes) if found.severity == "error"}
    assert left <= {"too-many-parameters"}
    inference = infer(mended, shape)
    assert inference.out_shape == (n_classes,)
    with torch.device("meta"):
        module = build(mended, shape, seed=0)
        assert module(torch.empty(2, *shape)).shape == (2, n_classes)
    assert sum(weights.numel() for weights in module.parameters()) == inference.n_parameters + inference.n_frozen


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(shapes_with_stacks())
def test_a_stack_that_fits_has_torchs_shapes_numbers_and_flops_at_every_layer_and_inside_containers(drawn):
    shape, model = drawn
    inference = infer(model, shape)
    seen = {}
    with torch.device("meta"):
        module = build(model, shape, seed=0)
        for path, _ in all_layers(model.layers):
            module_at(module, path).register_forward_hook(
                lambda _, inputs, out, path=path: seen.update({path: (inputs[0].shape[1:], out.shape[1:])})
            )
        with FlopCounterMode(display=False) as counter:
            module(torch.empty(2, *shape))
    for path, (came, went) in seen.items():
        assert (inference.at(path).in_shape, inference.at(path).out_shape) == (came, went), path
    assert len(seen) == len(list(all_layers(model.layers)))
    assert counter.get_total_flops() == 4 * inference.multiply_adds
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == inference.n_parameters
    assert sum(p.numel() for p in module.parameters() if not p.requires_grad) == inference.n_frozen


def module_at(module, path):
    """The module of the layer at `path`."""
    found = module[path[0]]
    if len(path) == 1:
        return found
    return module_at(found.branches[path[1]] if hasattr(found, "branches") else found.inner, path[2:])


@settings(max_examples=60, deadline=None)
@given(STACKS, SHAPES)
def test_layers_behind_an_error_are_blocked_and_build_says_which_layer_it_is(model, shape):
    inference = infer(model, shape)
    index, path = inference.error_index, inference.error_path
    if index is None or path is None:
        assert inference.out_shape is not None
        assert stack_error(model, inference) is None
        return
    assert inference.out_shape is None
    assert not any(info.is_blocked for info in inference.layers[: index + 1])
    assert all(info.is_blocked and info.error is None for info in inference.layers[index + 1 :])
    assert inference.at(path).error is not None
    with pytest.raises(ShapeError) as caught:
        build(model, shape, seed=0)
    kind = layer_at(model.layers, path).kind
    assert caught.value.message.startswith(f"Layer {layer_number(model.layers, path)} {kind} ")
    assert caught.value.hint


@settings(max_examples=40, deadline=None)
@given(STACKS)
def test_a_stack_survives_its_json(model):
    assert parse_json(ModelSpec, model.model_dump_json()) == model
