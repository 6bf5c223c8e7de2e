"""Activation figures: every channel at its place, colours on the scale that was asked for."""

from dataclasses import replace

import numpy as np
import pytest

from core.results.activations import ActivationMaps
from dashboard.figures import theme
from dashboard.figures.activations import activation_figure, alt_text

RNG = np.random.default_rng(0)
CONV = RNG.normal(size=(5, 4, 3)).astype(np.float32)
RELU = np.maximum(CONV, 0)
WIDE = (RNG.normal(size=60) * 7).astype(np.float32)
LOGITS = np.array([1.0, -2.0, 0.5], np.float32)
EXP = np.exp(LOGITS)


def maps() -> ActivationMaps:
    layers = (CONV, RELU, WIDE, LOGITS)
    return ActivationMaps(
        layer_names=("0 Conv2d", "1 ReLU", "2 Flatten", "3 Linear"),
        maps=layers,
        zero_share=tuple(float(np.mean(values == 0)) for values in layers),
        input=RNG.random((1, 6, 5)).astype(np.float32),
        logits=LOGITS,
        probabilities=EXP / EXP.sum(),
        label=2,
        class_names=("a", "b", "c"),
        step=7,
    )


def cut(trace, channel: int) -> np.ndarray:
    """One channel out of the mosaic, found by what the hover says."""
    inside = (trace.customdata[..., 0] == channel) & ~np.isnan(trace.z)
    rows, columns = np.nonzero(inside)
    return trace.z[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def test_every_channel_is_in_the_mosaic_with_gaps_between():
    trace = activation_figure(maps(), 0, scale="layer").data[0]
    for channel in range(5):
        assert np.array_equal(cut(trace, channel), CONV[channel])
    assert np.isnan(trace.z).sum() == trace.z.size - CONV.size
    assert trace.z.shape == (2 * 4 + 1, 3 * 3 + 2)
    assert trace.hoverongaps is False


def test_one_layer_is_one_trace_and_hover_knows_value_place_and_range():
    figure = activation_figure(maps(), 0)
    assert len(figure.data) == 1
    details = figure.data[0].customdata
    inside = ~np.isnan(figure.data[0].z)
    for channel, row, column, low, high, value in details[inside]:
        assert CONV[int(channel), int(row), int(column)] == np.float32(value)
        assert (low, high) == (CONV[int(channel)].min(), CONV[int(channel)].max())


def test_the_layer_scale_is_symmetric_with_negative_values_and_from_zero_without():
    signed, unsigned = activation_figure(maps(), 0).data[0], activation_figure(maps(), 1).data[0]
    assert signed.zmin == -signed.zmax
    assert signed.zmax == np.abs(CONV).max()
    assert (unsigned.zmin, unsigned.zmax) == (0, RELU.max())
    assert [colour for _at, colour in unsigned.colorscale] == [colour for _at, colour in theme.sequential()]


def test_the_net_scale_is_the_same_for_all_layers():
    reach = [activation_figure(maps(), layer, scale="net").data[0] for layer in (0, 1, 2)]
    assert {(trace.zmin, trace.zmax) for trace in reach} == {(-np.abs(WIDE).max(), np.abs(WIDE).max())}
    bars = activation_figure(maps(), 3, scale="net")
    assert bars.layout.yaxis.range[1] == pytest.approx(1.05 * float(np.abs(WIDE).max()))


def test_the_map_scale_reaches_from_0_to_1_in_each_map_and_says_so():
    figure = activation_figure(maps(), 0, scale="map")
    trace = figure.data[0]
    assert (trace.zmin, trace.zmax) == (0, 1)
    for channel in range(5):
        low, high = CONV[channel].min(), CONV[channel].max()
        assert np.allclose(cut(trace, channel), (CONV[channel] - low) / (high - low), atol=1e-6)
    assert "own range" in trace.colorbar.title.text
    assert "%{customdata[3]" in trace.hovertemplate


def test_a_constant_map_is_no_division_by_zero():
    flat = maps()
    flat.maps[1][0] = 0.0
    trace = activation_figure(flat, 1, scale="map").data[0]
    assert not cut(trace, 0).any()


def test_many_maps_are_cut_and_the_title_says_so():
    many = maps()
    many = ActivationMaps(
        **{name: getattr(many, name) for name in many.__slots__} | {"maps": (np.ones((70, 2, 2), np.float32),) * 4}
    )
    figure = activation_figure(many, 0, max_maps=64)
    assert (~np.isnan(figure.data[0].z)).sum() == 64 * 4
    assert "(the first 64 shown)" in figure.layout.title.text
    assert "70 maps of 2 × 2" in figure.layout.title.text


def test_a_wide_flat_layer_is_a_strip_and_a_narrow_one_bars():
    strip = activation_figure(maps(), 2).data[0]
    shown = strip.z[~np.isnan(strip.z)]
    assert np.array_equal(shown, WIDE)
    bar = activation_figure(maps(), 3)
    assert np.array_equal(bar.data[0].y, LOGITS)
    assert bar.layout.xaxis.title.text == "unit"
    assert bar.layout.yaxis.title.text == "activation"


def test_the_sentence_for_screen_readers_has_range_and_zeros():
    sentence = alt_text(maps(), 1)
    assert "1 ReLU" in sentence
    assert "5 maps of 4 × 3" in sentence
    assert f"{np.mean(RELU == 0):.0%} exactly zero" in sentence


TOKENS = ("", "", "not", "good", "not")
STEPS = RNG.normal(size=(5, 3)).astype(np.float32)


def sentence_maps() -> ActivationMaps:
    return replace(maps(), maps=(STEPS, STEPS[:2], WIDE, LOGITS), tokens=TOKENS)


def test_a_sequence_is_one_column_per_token_in_the_order_of_reading():
    figure = activation_figure(sentence_maps(), 0)
    heat = figure.data[0]
    assert np.array_equal(heat.z, STEPS.T)
    assert heat.zmax == np.abs(STEPS).max() == -heat.zmin
    assert figure.layout.xaxis.title.text == "token"
    assert figure.layout.xaxis.ticktext == TOKENS
    assert figure.layout.xaxis.tickvals == (0, 1, 2, 3, 4)
    assert list(heat.customdata[2][3]) == [STEPS[3, 2], "good"]
    assert "5 steps with 3 features" in figure.layout.title.text


def test_a_layer_that_changes_the_length_has_numbered_steps():
    layout = activation_figure(sentence_maps(), 1).layout
    assert layout.xaxis.title.text == "step"
    assert layout.xaxis.ticktext == ("0", "1")


def test_many_steps_are_not_all_named():
    long = replace(sentence_maps(), maps=(np.zeros((200, 2), np.float32),) * 4, tokens=("word",) * 200)
    assert len(activation_figure(long, 0).layout.xaxis.tickvals) <= 48


def test_the_own_scale_of_a_sequence_reaches_from_0_to_1():
    heat = activation_figure(sentence_maps(), 0, scale="map").data[0]
    assert (heat.z.min(), heat.z.max()) == (0, 1)
    assert "layer's range" in heat.colorbar.title.text
