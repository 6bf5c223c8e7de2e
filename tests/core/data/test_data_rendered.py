"""Digits 8 × 8 against scikit-learn; rendered digits against what their docstrings promise."""

import hashlib
import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from core.data import rendered
from core.data.grid import interpolated
from core.data.rendered import Digits, RenderedDigits, rendered_digits

ROOT = Path(__file__).parents[3]
ATLAS = ROOT / "core" / "data" / "glyphs.npz"


def test_digits_are_scikit_learns_images_each_once_with_its_class():
    flat, y = load_digits(return_X_y=True)
    splits = Digits().splits(0)
    parts = (splits.train, splits.validation, splits.test)
    ours = np.concatenate([np.column_stack([part.x.reshape(-1, 64), part.y]) for part in parts])
    theirs = np.column_stack([flat, y])
    np.testing.assert_array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_the_model_sees_digits_divided_by_16_and_rendered_digits_divided_by_255():
    for choice, brightest in ((Digits(), 16), (RenderedDigits(n_examples=200), 255)):
        splits = choice.splits(0)
        seen = splits.model_input(splits.train.x)
        np.testing.assert_allclose(seen, splits.train.x / brightest, rtol=1e-6)
        assert seen.dtype == np.float32
        assert seen.max() == pytest.approx(1)


def test_the_first_images_of_a_longer_set_are_the_shorter_set():
    long_x, long_y = rendered_digits(2300, seed=4)
    for n in (200, 1000, 1001, 2000):
        x, y = rendered_digits(n, seed=4)
        np.testing.assert_array_equal(x, long_x[:n])
        np.testing.assert_array_equal(y, long_y[:n])


def test_another_seed_draws_other_images():
    assert np.mean(rendered_digits(200, 0)[0] != rendered_digits(200, 1)[0]) > 0.1


def test_ten_images_in_a_row_hold_each_digit_once():
    labels = rendered_digits(3000, 0)[1].reshape(-1, 10)
    np.testing.assert_array_equal(np.sort(labels, axis=1), np.tile(np.arange(10), (300, 1)))


def test_the_generator_gives_the_same_bytes_for_ever():
    x, y = rendered_digits(1500, seed=7)
    assert hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()[:16] == "f4d4800a57060b62"


def test_a_last_bit_that_differs_in_exp_and_cos_changes_no_pixel(monkeypatch):
    expected = rendered_digits(1000, seed=2)[0]
    for name in ("exp", "cos", "sin"):
        exact = getattr(np, name)
        monkeypatch.setattr(rendered.np, name, lambda x, exact=exact: np.nextafter(exact(x), np.inf))
    np.testing.assert_array_equal(rendered_digits(1000, seed=2)[0], expected)


def test_a_digit_fills_about_twenty_pixels_around_the_middle():
    images = rendered_digits(1000, 0)[0][:, 0] > 100
    rows, columns = images.any(axis=2), images.any(axis=1)
    height = 28 - rows.argmax(axis=1) - rows[:, ::-1].argmax(axis=1)
    centre = (columns * np.arange(28)).sum(axis=1) / columns.sum(axis=1)
    assert 18 < np.median(height) < 22
    assert np.mean(centre) == pytest.approx(13.5, abs=0.5)
    assert 0.08 < rendered_digits(1000, 0)[0].mean() / 255 < 0.25


def test_a_linear_model_reads_most_labels_but_not_all():
    x, y = rendered_digits(4000, 0)
    flat = x.reshape(len(x), -1) / 255
    model = RidgeClassifier(alpha=30).fit(flat[:3000], y[:3000])
    assert 0.55 < model.score(flat[3000:], y[3000:]) < 0.9


def test_the_bends_are_interpolated_linearly():
    places = np.linspace(0, 4, 28)
    plane = 2 * np.arange(5.0)[:, None] - 3 * np.arange(5.0)
    np.testing.assert_allclose(interpolated(plane, 28), 2 * places[:, None] - 3 * places, atol=1e-4)


def test_an_unbent_glyph_is_sampled_bilinearly():
    atlas = np.load(ATLAS)["glyphs"][3, 8].astype(float) / 255
    u = np.array([[[20.25]]], np.float32)
    v = np.array([[[31.5]]], np.float32)
    expected = 0.0
    for du, dv in ((-0.55, -0.55), (0.55, -0.55), (-0.55, 0.55), (0.55, 0.55)):
        x, y = 20.25 + du, 31.5 + dv
        left, up = int(x), int(y)
        for column, row in ((left, up), (left + 1, up), (left, up + 1), (left + 1, up + 1)):
            expected += atlas[row, column] * (1 - abs(x - column)) * (1 - abs(y - row)) / 4
    assert rendered._sampled(np.array([38]), u, v).item() == pytest.approx(expected, abs=1e-5)


def test_the_atlas_is_small_and_is_what_the_tool_makes():
    assert ATLAS.stat().st_size < 200_000
    tool = runpy.run_path(str(ROOT / "tools" / "make_glyphs.py"))
    made, kept = tool["atlas"](tool["matplotlib_fonts"]()), np.load(ATLAS)["glyphs"]
    assert made.shape == kept.shape == (15, 10, 64, 64)
    # another FreeType may draw edges a little differently, another font would differ by far more
    assert np.abs(made.astype(int) - kept).mean() < 3
