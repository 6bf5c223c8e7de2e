"""Every layer on the Menu says of itself, without torch, exactly what torch does."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from pydantic import ValidationError

from core.errors import ShapeError
from core.types import Shape
from tests.contracts.layer_strategies import LAYERS, SHAPES, bounds, layers_of

each_layer = pytest.mark.parametrize("layer_class", LAYERS, ids=lambda layer_class: layer_class.kind_name())

REFUSED_THOUGH_TORCH_TAKES = {
    "Linear": lambda shape: len(shape) == 3,  # torch acts on the last axis alone: in a stack, a forgotten Flatten
}
"""Our documented refusals, by kind: shapes that torch would take."""


def torch_result(layer: Any, shape: Shape) -> tuple[Shape, int] | None:
    """Shape and parameter count of the built module on a batch of two; None where torch refuses."""
    with torch.device("meta"):
        try:
            module = layer.build(shape)
            out = module(torch.empty(2, *shape))
        except (ValueError, RuntimeError, IndexError):
            return None
    return tuple(out.shape[1:]), sum(weights.numel() for weights in module.parameters())


def our_result(layer: Any, shape: Shape) -> tuple[Shape, int] | None:
    try:
        return layer.out_shape(shape), layer.n_parameters(shape)
    except ShapeError as refused:
        error = refused
    assert error.message.startswith(layer.kind)
    assert error.hint
    return None


@each_layer
def test_shape_and_parameters_equal_torch_and_we_refuse_what_torch_refuses(layer_class):
    taken = []

    @settings(max_examples=200, deadline=None)
    @given(layers_of(layer_class), SHAPES)
    def holds(layer, shape):
        ours = our_result(layer, shape)
        taken.append(ours is not None)
        if REFUSED_THOUGH_TORCH_TAKES.get(layer.kind, lambda shape: False)(shape):
            assert ours is None
        else:
            assert ours == torch_result(layer, shape)

    holds()
    assert sum(taken) >= 10  # else this test has seen no valid layer


def test_convolution_and_pooling_equal_torch_on_every_small_window():
    windows = [(k, s, p, d) for k in (1, 2, 3, 5) for s in (1, 2, 3) for p in (0, 1, 2, 3) for d in (1, 2)]
    for layer_class in LAYERS:
        if "kernel_size" not in layer_class.knobs():
            continue
        for k, s, p, d in windows:
            wanted = {"kernel_size": k, "stride": s, "padding": p, "dilation": d}
            layer = layer_class(**{name: value for name, value in wanted.items() if name in layer_class.knobs()})
            for side in (1, 2, 4, 7):
                shape = (2, side, 7)
                assert our_result(layer, shape) == torch_result(layer, shape), (layer, shape)


@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 1, 1)])
def test_the_documented_refusals_are_things_torch_really_takes(shape):
    assert set(REFUSED_THOUGH_TORCH_TAKES) == {"Linear"}
    assert torch.nn.Linear(shape[-1], 4)(torch.zeros(2, *shape)).shape == (2, *shape[:-1], 4)


@each_layer
def test_a_layer_never_writes_into_its_input_and_every_build_is_a_new_module(layer_class):
    layer = layer_class()
    for shape in ((6,), (4, 6, 6)):
        if our_result(layer, shape) is None:
            continue
        batch = torch.linspace(-1, 1, 3 * torch.Size(shape).numel()).reshape(3, *shape)
        before = batch.clone()
        module = layer.build(shape)
        module(batch)
        assert torch.equal(batch, before)
        assert layer.build(shape) is not module
        return
    pytest.fail(f"{layer_class.kind_name()} takes neither shape with its default settings")


@each_layer
def test_the_built_module_is_torchs_own_class_with_the_settings_asked_for(layer_class):
    @settings(max_examples=20, deadline=None)
    @given(layers_of(layer_class), SHAPES)
    def holds(layer, shape):
        if our_result(layer, shape) is None:
            return
        with torch.device("meta"):
            module = layer.build(shape)
        assert type(module) is getattr(torch.nn, layer.kind)
        for name in layer_class.knobs():
            asked, got = getattr(layer, name), getattr(module, name)
            if name == "bias":
                assert (got is not None) is asked
            elif name == "stride" and asked is None:
                assert got in (layer.kernel_size, (layer.kernel_size,) * 2)
            else:
                assert got in (asked, (asked, asked))

    holds()


@each_layer
def test_every_setting_has_a_default_help_and_bounds_that_are_kept(layer_class):
    assert layer_class().kind == layer_class.kind_name()
    assert layer_class.label
    assert layer_class.__doc__
    for name, info in layer_class.knobs().items():
        assert info.description, name
        low, high = bounds(info)
        if isinstance(info.default, int | float) and not isinstance(info.default, bool):
            assert low <= info.default <= high
        for outside in (None if low is None else low - 1, None if high is None else high + 1):
            if outside is not None:
                with pytest.raises(ValidationError):
                    layer_class(**{name: outside})


def test_a_refusal_says_what_is_needed_what_came_and_what_to_do():
    linear = next(cls for cls in LAYERS if cls.kind_name() == "Linear")
    with pytest.raises(ShapeError) as caught:
        linear().out_shape((8, 4, 4))
    assert str(caught.value) == "Linear needs a flat vector but receives 8 × 4 × 4. Put Flatten before it."
