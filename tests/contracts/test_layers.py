"""Every layer on the Menu says of itself, without torch, exactly what torch does."""

import importlib
import inspect
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from pydantic import ValidationError
from torch.utils.flop_counter import FlopCounterMode

from core.errors import ShapeError
from core.models.layer import Call
from core.types import Shape
from tests.contracts.layer_strategies import BY_EXAMPLE, LAYERS, SHAPES, bounds, layers_of, shapes_with_layers

each_layer = pytest.mark.parametrize("layer_class", LAYERS, ids=lambda layer_class: layer_class.kind_name())
N_EXAMPLES = {"Backbone": 8, "Parallel": 25, "Residual": 40, "RNN": 25, "LSTM": 25, "GRU": 25, "TransformerEncoder": 40}
"""These take long on the meta device; all other layers get more."""

MAPS_ONLY = ("Conv2d", "ConvTranspose2d", "MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d", "GlobalAvgPool", "Upsample")
REFUSED_THOUGH_TORCH_TAKES = {
    **dict.fromkeys(MAPS_ONLY, lambda layer, shape: len(shape) < 3),  # torch: (N, L, D) is one image without a batch
    **dict.fromkeys(("BatchNorm1d", "GroupNorm"), lambda layer, shape: len(shape) == 2),  # takes steps for channels
    "PReLU": lambda layer, shape: layer.per_channel and len(shape) == 2,  # as these
    "Linear": lambda layer, shape: len(shape) != 1,  # acts on the last axis alone: a forgotten Flatten or pooling
    "Embedding": lambda layer, shape: len(shape) > 1,  # looks up numbers in any arrangement, maps too
    "PoolTime": lambda layer, shape: len(shape) != 2,  # pools the second axis, whatever it is
    "PatchEmbed": lambda layer, shape: (
        len(shape) == 3 and any(side % layer.patch_size for side in shape[1:])
    ),  # cuts the rest off
}
"""Our documented refusals, by kind: which layers and shapes torch takes all the same, and what it does then."""
WITNESSES = {
    **{kind: ({}, (2, 6)) for kind in (*MAPS_ONLY, "BatchNorm1d", "GroupNorm")},
    "Conv2d": ({"kernel_size": 1}, (2, 6)),
    "PReLU": ({"per_channel": True}, (2, 6)),
    "Linear": ({}, (4, 6, 4)),
    "Embedding": ({}, (2, 6)),
    "PoolTime": ({}, (8, 4, 4)),
    "PatchEmbed": ({}, (3, 5, 9)),
}
"""One such layer and shape for each."""


def a_batch(layer: Any, n: int, shape: Shape) -> torch.Tensor:
    return torch.zeros(n, *shape, dtype=torch.int64 if layer.kind == "Embedding" else torch.float32)


def torch_result(layer: Any, shape: Shape) -> tuple[Shape, int, int, int] | None:
    """Shape, trained and frozen numbers and FLOPs per example of the built module on a batch of two.

    None where torch refuses, or gives maps without a pixel.
    """
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        try:
            module = layer.build(shape)
            out = module(a_batch(layer, 2, shape))
        except (
            ValueError,
            RuntimeError,
            IndexError,
            AssertionError,
            ShapeError,
            UserWarning,
        ):  # it warns of what it will refuse
            return None
    trained, frozen = (
        sum(p.numel() for p in module.parameters() if p.requires_grad is is_trained) for is_trained in (True, False)
    )
    return (tuple(out.shape[1:]), trained, frozen, counter.get_total_flops() // 2) if out.numel() else None


def our_result(layer: Any, shape: Shape) -> tuple[Shape, int, int, int] | None:
    """The same without torch; FLOPs are twice the multiply-adds."""
    try:
        return layer.out_shape(shape), layer.n_parameters(shape), layer.n_frozen(shape), 2 * layer.multiply_adds(shape)
    except ShapeError as refused:
        error = refused
    assert layer.inner() or error.message.startswith(layer.kind)
    assert error.hint
    return None


@each_layer
def test_shape_parameters_and_flops_equal_torch_and_we_refuse_what_torch_refuses(layer_class):
    taken = []
    is_documented = REFUSED_THOUGH_TORCH_TAKES.get(layer_class.kind_name(), lambda layer, shape: False)
    n_examples = N_EXAMPLES.get(layer_class.kind_name(), 60)

    def check(layer, shape):
        ours = our_result(layer, shape)
        taken.append(ours is not None)
        assert ours == (None if is_documented(layer, shape) else torch_result(layer, shape))

    @settings(max_examples=n_examples, deadline=None)
    @given(shapes_with_layers(layer_class))
    def holds(drawn):
        shape, layer = drawn
        check(layer, shape)

    for shape in BY_EXAMPLE:
        check(layer_class(), shape)
    assert any(taken)  # else this test has seen no valid layer
    holds()


def test_each_documented_refusal_is_of_something_that_torch_really_takes():
    by_kind = {layer_class.kind_name(): layer_class for layer_class in LAYERS}
    assert WITNESSES.keys() == REFUSED_THOUGH_TORCH_TAKES.keys()
    for kind, (given_settings, shape) in WITNESSES.items():
        layer = by_kind[kind](**given_settings)
        assert REFUSED_THOUGH_TORCH_TAKES[kind](layer, shape)
        assert our_result(layer, shape) is None
        assert torch_result(layer, shape) is not None, kind


def test_convolution_and_pooling_equal_torch_on_every_small_window():
    windows = [(k, s, p, d) for k in (1, 2, 3, 5) for s in (1, 2, 3) for p in (0, 1, 2, 3) for d in (1, 2)]
    for layer_class in LAYERS:
        if "kernel_size" not in layer_class.knobs():
            continue
        for k, s, p, d in windows:
            wanted = {"kernel_size": k, "stride": s, "padding": p, "dilation": d, "output_padding": d - 1}
            layer = layer_class(**{name: value for name, value in wanted.items() if name in layer_class.knobs()})
            for side in (1, 2, 4, 7):
                shape = (2, side, 7) if layer_class.kind_name().endswith("2d") else (side, 6)
                assert our_result(layer, shape) == torch_result(layer, shape), (layer, shape)


@each_layer
def test_a_layer_never_writes_into_its_input_and_every_build_is_a_new_module(layer_class):
    layer = layer_class()
    for shape in ((6,), (4, 6), (4, 6, 6), (4, 8, 8), (3, 8, 8)):
        if our_result(layer, shape) is None:
            continue
        batch = torch.linspace(-1, 1, 3 * torch.Size(shape).numel()).reshape(3, *shape).to(a_batch(layer, 1, shape).dtype).abs()
        before = batch.clone()
        module = layer.build(shape)
        module(batch)
        assert torch.equal(batch, before)
        assert layer.build(shape) is not module
        return
    pytest.fail(f"{layer_class.kind_name()} takes none of the shapes with its default settings")


def is_same(name: str, asked: Any, got: Any) -> bool:
    """Whether a module has a setting: torch has biases as tensors, sides as pairs, dropout as a module, ReLU as function."""
    if name in ("bias", "class_token") or isinstance(got, torch.Tensor):
        return (got is not None) is bool(asked)
    if isinstance(got, torch.nn.Dropout):
        return got.p == asked
    if callable(got):
        return got.__name__ == asked
    return got in (asked, (asked,), (asked, asked))


def taken_by(layer: Any) -> list[Shape]:
    """The common shapes that a layer takes."""
    return [shape for shape in ((4, 40, 40), (40,), (40, 4)) if our_result(layer, shape) is not None]


@each_layer
def test_the_built_module_is_of_the_class_that_is_named_with_the_settings_asked_for(layer_class):
    seen = []

    def check(call: Call, module: Any) -> None:
        name, _, attribute = call.target.partition(":")
        made = getattr(importlib.import_module(name), attribute)
        assert type(module) is made
        given_settings = inspect.signature(made).bind(*call.args, **call.kwargs).arguments
        for setting, asked in given_settings.items():
            values = asked if isinstance(asked, tuple) else (asked,)
            assert all(isinstance(value, int | float | bool | str | Call | None) for value in values), setting
            if isinstance(asked, str | int | float | bool) and hasattr(module, setting):
                seen.append(setting)
                assert is_same(setting, asked, getattr(module, setting)), setting

    @settings(max_examples=min(20, N_EXAMPLES.get(layer_class.kind_name(), 20)), deadline=None)
    @given(layers_of(layer_class), SHAPES)
    def holds(layer, shape):
        if our_result(layer, shape) is not None:
            with torch.device("meta"):
                check(layer.call(shape), layer.build(shape))

    holds()
    with torch.device("meta"):  # what was drawn may all have been refused
        for shape in taken_by(layer_class()):
            check(layer_class().call(shape), layer_class().build(shape))
    if layer_class.kind_name() in ("Conv2d", "ConvTranspose2d", "LeakyReLU", "Dropout"):
        assert seen


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


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((8, 4, 4), "Linear needs a flat vector but receives 8 × 4 × 4. Put Flatten before it."),
        ((12, 16), "Linear needs a flat vector but receives 12 × 16. Put a pooling over time or Flatten before it."),
    ],
)
def test_a_refusal_says_what_is_needed_what_came_and_what_to_do(shape, told):
    linear = next(cls for cls in LAYERS if cls.kind_name() == "Linear")
    with pytest.raises(ShapeError) as caught:
        linear().out_shape(shape)
    assert str(caught.value) == told
