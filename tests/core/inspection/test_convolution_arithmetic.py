"""The arithmetic of a convolution is torch's, for any stride, padding, dilation and groups."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from core.errors import NotApplicable, SpecError
from core.inspection import convolution
from core.inspection.convolution import convolution_parts, partial_sums
from core.models.layers.convolution import Conv2d
from core.models.model import ModelSpec, build
from core.results.codec import load_result, result_bytes
from core.results.convolution import ConvolutionParts
from tests.core.samples import stack

CONVOLUTIONS = st.fixed_dictionaries(
    {
        "kernel_size": st.integers(1, 5),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 4),
        "dilation": st.integers(1, 3),
        "groups": st.integers(1, 3),
        "bias": st.booleans(),
    }
)


def made(per_group: int, sizes: tuple[int, int], asked: dict) -> tuple[ModelSpec, nn.Sequential, torch.Tensor]:
    """A stack of one convolution and something after it, and an example that it fits; the maps are no squares."""
    reach = asked["dilation"] * (asked["kernel_size"] - 1) + 1
    shape = (per_group * asked["groups"], *(max(size, reach - 2 * asked["padding"]) for size in sizes))
    spec = ModelSpec(layers=(Conv2d(out_channels=2 * asked["groups"], **asked), *stack("ReLU").layers))
    return spec, build(spec, shape, seed=3), torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))


@settings(max_examples=80, deadline=None)
@given(CONVOLUTIONS, st.integers(1, 3), st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 5))
def test_patch_times_kernel_summed_over_channels_plus_bias_is_the_hooked_output(asked, per_group, sizes, channel):
    spec, model, x = made(per_group, sizes, asked)
    channel %= 2 * asked["groups"]
    parts = convolution_parts(model, spec, x, (0,), channel, step=5)
    with torch.no_grad():
        expected = model[0](x)[0, channel].numpy()
    assert np.array_equal(parts.output, expected)
    assert parts.largest_difference < 1e-5
    padded = np.pad(parts.inputs, ((0, 0), *[(parts.padding, parts.padding)] * 2))
    side = parts.kernels.shape[-1]
    for row, column in np.ndindex(expected.shape):  # as the component in the browser does it: one patch at a time
        rows = row * parts.stride + parts.dilation * np.arange(side)
        columns = column * parts.stride + parts.dilation * np.arange(side)
        patch = padded[:, rows][:, :, columns]
        assert (patch * parts.kernels).sum() + parts.bias == pytest.approx(expected[row, column], abs=1e-5)
    group = channel // 2
    assert parts.input_channels.tolist() == list(range(group * per_group, (group + 1) * per_group))
    assert (parts.bias == 0) or parts.has_bias


@settings(max_examples=30, deadline=None)
@given(CONVOLUTIONS, st.integers(1, 3))
def test_what_each_channel_adds_is_the_convolution_of_that_channel_alone(asked, n):
    asked = {**asked, "groups": 1, "bias": False}
    _, model, x = made(n, (8, 6), asked)
    kernel = model[0].weight[1].detach()
    settings_ = {name: asked[name] for name in ("stride", "padding", "dilation")}
    found = partial_sums(x[0].numpy(), kernel.numpy(), **settings_)
    for channel in range(n):
        alone = nn.functional.conv2d(x[:, channel : channel + 1].double(), kernel[channel][None, None].double(), **settings_)
        assert np.allclose(found[channel], alone[0, 0].numpy(), atol=1e-12)


def test_of_many_channels_those_that_add_most_are_sent_and_the_rest_is_one_map(monkeypatch):
    spec = ModelSpec(layers=(Conv2d(out_channels=2, kernel_size=3, padding=1),))
    model, x = build(spec, (6, 5, 5), seed=0), torch.randn(1, 6, 5, 5)
    with torch.no_grad():
        model[0].weight[0, [1, 4]] *= 100
    monkeypatch.setattr(convolution, "MAX_NUMBERS", 2 * 25 + 10)
    parts = convolution_parts(model, spec, x, (0,), 0)
    assert (parts.input_channels.tolist(), parts.n_rest) == ([1, 4], 4)
    sums = partial_sums(parts.inputs, parts.kernels, stride=1, padding=1, dilation=1)
    assert np.allclose(sums.sum(0) + parts.rest + parts.bias, parts.output, atol=1e-4)


def test_a_convolution_inside_a_residual_is_reached_by_its_path_and_nothing_is_left_behind():
    inner = {"layers": stack("ReLU", ("Conv2d", {"out_channels": 3, "padding": 1})).layers}
    spec = stack(("Conv2d", {"out_channels": 3}), ("Residual", inner))
    model, x = build(spec, (1, 7, 7), seed=1).train(), torch.randn(1, 1, 7, 7)
    parts = convolution_parts(model, spec, x, (1, 0, 1), 2)
    with torch.no_grad():
        given_ = model[0](x).relu()
        assert np.allclose(parts.output, model[1].inner[1](given_)[0, 2].numpy(), atol=1e-6)
    assert np.allclose(parts.inputs, given_[0].numpy(), atol=1e-6)
    assert parts.layer_name == "2.2 Conv2d"
    assert model.training
    assert not any(one._forward_hooks for one in model.modules())
    assert load_result(ConvolutionParts, result_bytes(parts)).largest_difference == parts.largest_difference


def test_what_is_no_convolution_and_a_map_that_is_not_there_are_refused():
    spec = stack(("Conv2d", {"out_channels": 3}), "ReLU")
    model, x = build(spec, (1, 7, 7), seed=1), torch.randn(1, 1, 7, 7)
    with pytest.raises(NotApplicable, match="no Conv2d"):
        convolution_parts(model, spec, x, (1,), 0)
    with pytest.raises(SpecError, match="no output map 3"):
        convolution_parts(model, spec, x, (0,), 3)
