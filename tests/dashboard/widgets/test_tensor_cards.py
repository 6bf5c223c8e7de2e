"""Tensors of a phase as cards: what the picture shows, what is written beside it, and that nothing slips through."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from core.events import TensorView
from dashboard.widgets.tensor_cards import row_length, tensor_cards

WORDS = {
    "low": "least",
    "high": "largest",
    "mean": "mean",
    "norm": "L2 norm",
    "number": "one number",
    "alt": "Heat map of {name}, from {low} to {high}",
    "first": "first {n} of {all} values",
}


def card(values, shape, name="weight", dark=False):
    data = np.array(values, "<f4")
    norm = float(np.linalg.norm(data))
    view = TensorView(name, shape, float(data.min()), float(data.max()), float(data.mean()), norm, data.tobytes())
    return tensor_cards([view], dark=dark, words=WORDS)


def picture(text):
    """The pixels of the only picture, (rows, columns, 4)."""
    (source,) = re.findall(r"base64,([A-Za-z0-9+/=]+)", text)
    return np.array(Image.open(io.BytesIO(base64.b64decode(source))))


def test_few_values_stand_as_numbers_with_their_statistics():
    text = card([[1.5, -2.0], [0.0, 0.25]], (2, 2))
    for word in ("weight", "2 × 2", ">1.5<", ">-2<", ">0.25<", "least", ">-0.0625<", "2.51"):
        assert word in text
    assert "<img" not in text


@pytest.mark.parametrize("dark", [False, True])
def test_many_values_are_a_picture_with_zero_in_the_page_s_colour(dark):
    values = np.zeros((4, 8), np.float32)
    values[0, 0], values[3, 7] = -5, 5
    pixels = picture(card(values, (4, 8), dark=dark))
    assert pixels.shape == (4, 8, 4)
    assert pixels[0, 0, 2] > pixels[0, 0, 0]  # blue
    assert pixels[3, 7, 0] > pixels[3, 7, 2]  # red
    middle = pixels[1, 1, :3]
    assert (middle.max() < 60) if dark else (middle.min() > 230)
    assert (pixels[..., 3] == 255).all()


def test_what_does_not_fill_the_last_row_is_clear_and_what_is_cut_off_is_said():
    values = np.linspace(-1, 1, 100, dtype=np.float32)
    text = card(values, (9_000,))
    pixels = picture(text)
    assert pixels.shape == (7, 16, 4)
    assert (pixels[6, 4:, 3] == 0).all()
    assert "first 100 of 9,000 values" in text


@pytest.mark.parametrize(
    ("shape", "length"), [((), 1), ((7,), 7), ((40,), 16), ((3, 5), 5), ((2, 500), 64), ((8, 4, 3, 3), 9), ((8, 1, 28, 28), 28)]
)
def test_a_row_of_the_picture_is_a_row_of_the_tensor(shape, length):
    assert row_length(shape) == length


def test_numbers_that_are_none_are_shown_without_colour():
    text = card([np.nan, np.inf, 1.0], (3,))
    assert ">nan<" in text
    assert ">inf<" in text


def test_names_are_escaped():
    assert "<script>" not in card([1.0], (1,), name="<script>alert(1)</script>")


def test_a_single_number_says_so():
    assert "one number" in card([0.5], ())
