"""Maps as small pictures, frames on pictures, and histograms of what layers give: held against their numbers."""

import numpy as np
import pytest

from core.inspection.activation_histograms import activation_histograms
from core.results.activation_histograms import ActivationHistograms
from core.results.activations import ActivationMaps
from dashboard.figures import theme
from dashboard.figures.activation_histograms import (
    activation_histogram,
    alt_activation_histogram,
    alt_picture_histogram,
    picture_histogram,
)
from dashboard.figures.map_pictures import SIDE, framed_pictures, map_pictures

RNG = np.random.default_rng(1)
CONV = RNG.normal(size=(5, 4, 3)).astype(np.float32)
LAYERS = (CONV, np.maximum(CONV, 0), np.zeros((2, 3, 3), np.float32), RNG.normal(size=(3, 200, 150)).astype(np.float32))


def maps(pixels: np.ndarray | None = None) -> ActivationMaps:
    return ActivationMaps(
        layer_names=("1 Conv2d", "2 ReLU", "3 ReLU", "4 Upsample"),
        maps=LAYERS,
        zero_share=tuple(float(np.mean(values == 0)) for values in LAYERS),
        input=RNG.random((1, 6, 5)).astype(np.float32),
        logits=np.zeros(2, np.float32),
        probabilities=np.full(2, 0.5, np.float32),
        label=0,
        class_names=("a", "b"),
        step=7,
        pixels=pixels,
    )


def colours(scale: theme.Scale) -> dict[float, tuple[int, ...]]:
    return {at: tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) for at, colour in scale}


def test_the_largest_value_has_the_last_colour_and_zero_the_first_or_the_middle_one():
    signed, unsigned = colours(theme.diverging(dark=True)), colours(theme.sequential())
    pictures = map_pictures(maps(), 0, dark=True)
    end = 1.0 if CONV.max() > -CONV.min() else 0.0
    at = np.unravel_index(int(np.abs(CONV).argmax()), CONV.shape)
    assert tuple(pictures[at]) == signed[end]
    rectified = map_pictures(maps(), 1)
    assert rectified.shape == (5, 4, 3, 3)
    assert (rectified[LAYERS[1] == 0] == unsigned[0.0]).all()
    assert tuple(rectified[np.unravel_index(int(LAYERS[1].argmax()), CONV.shape)]) == unsigned[1.0]


def test_with_a_scale_for_each_map_each_has_its_lowest_and_its_highest_colour():
    unsigned = colours(theme.sequential())
    for one, picture in zip(CONV, map_pictures(maps(), 0, scale="map"), strict=True):
        assert tuple(picture[np.unravel_index(int(one.argmin()), one.shape)]) == unsigned[0.0]
        assert tuple(picture[np.unravel_index(int(one.argmax()), one.shape)]) == unsigned[1.0]


def test_maps_of_zeros_are_one_colour_and_large_ones_are_thinned_out():
    assert (map_pictures(maps(), 2) == colours(theme.sequential())[0.0]).all()
    assert max(map_pictures(maps(), 3).shape[1:3]) <= SIDE
    assert len(map_pictures(maps(), 0, most=2)) == 2


def test_a_frame_lies_around_its_field_and_leaves_the_rest_of_the_picture_alone():
    pictures = RNG.integers(0, 255, (3, 8, 8), dtype=np.uint8)
    fields = np.array([[2, 4, 3, 7], [-1, -1, -1, -1], [0, 7, 0, 7]])
    framed = framed_pictures(pictures, fields)
    times = framed.shape[1] // 8
    plain = np.repeat(np.repeat(pictures, times, 1), times, 2)[..., None].repeat(3, -1)
    assert (framed[1:] == plain[1:]).all()  # neither without a field nor around all of a picture
    rows, columns = np.nonzero((framed[0] != plain[0]).any(-1))
    assert (rows.min(), rows.max()) == (2 * times, 5 * times - 1)
    assert (columns.min(), columns.max()) == (3 * times, 8 * times - 1)
    inside = framed[0][3 * times : 4 * times, 5 * times : 6 * times]
    assert (inside == pictures[0, 3, 5]).all()


def found(pixels: np.ndarray | None = None) -> ActivationHistograms:
    return activation_histograms(maps(pixels))


def test_bars_count_all_but_the_zeros_which_the_title_tells():
    figure = activation_histogram(found(), 1)
    relu = LAYERS[1]
    assert figure.data[0].y.sum() == (relu != 0).sum()
    assert f"{np.mean(relu == 0):.0%} exactly 0" in figure.layout.title.text
    assert f"{np.mean(relu == 0):.0%} exactly 0" in alt_activation_histogram(found(), 1)
    assert "exactly 0" not in activation_histogram(found(), 0).layout.title.text
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("activation", "values")


def test_a_layer_of_zeros_says_so_in_place_of_bars():
    figure = activation_histogram(found(), 2)
    assert not figure.data
    assert "exactly 0" in figure.layout.annotations[0].text
    assert "all values are exactly 0" in alt_activation_histogram(found(), 2)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_all_pixels_that_are_not_black_are_in_the_histogram_of_the_picture(n_channels):
    pixels = RNG.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    pixels[:4] = 0
    pixels = pixels if n_channels == 3 else pixels[..., 0]
    figure = picture_histogram(found(pixels))
    assert [trace.y.sum() for trace in figure.data] == np.count_nonzero(pixels.reshape(63, -1), axis=0).tolist()
    assert f"{np.mean(pixels == 0):.0%} black" in figure.layout.title.text
    assert f"mean brightness {pixels.mean():.0f} of 255" in alt_picture_histogram(found(pixels))
    if n_channels == 3:
        assert len({trace.line.dash for trace in figure.data}) == 3
