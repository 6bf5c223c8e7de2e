"""Galleries, single examples and backgrounds."""

import numpy as np
import pytest

from core.data.gallery import background, example, gallery, gallery_of
from core.data.rendered import Digits, RenderedDigits
from core.data.tabular import BreastCancer
from core.data.toy import Xor
from core.errors import SpecError


def test_classes_come_in_turn_and_each_in_the_order_of_its_split():
    splits = Digits().splits(0)
    shown = gallery_of(splits, "validation", 40)
    assert shown.labels.tolist() == list(range(10)) * 4
    np.testing.assert_array_equal(shown.labels, splits.validation.y[shown.indices])
    for digit in range(10):
        of_this = shown.indices[shown.labels == digit]
        np.testing.assert_array_equal(of_this, np.flatnonzero(splits.validation.y == digit)[:4])


def test_values_are_what_the_model_receives():
    splits = BreastCancer().splits(0)
    shown = gallery_of(splits, "test", 10)
    np.testing.assert_array_equal(shown.values, splits.model_input(splits.test.x)[shown.indices])
    np.testing.assert_array_equal(shown.raw, splits.test.x[shown.indices])
    assert shown.feature_names == splits.profile.feature_names
    assert shown.pixels is None


def test_pixels_reach_from_0_to_255_whatever_the_data_store():
    splits = Digits().splits(0)
    shown = gallery_of(splits, "train", 30)
    stored = splits.train.x[shown.indices, 0]
    np.testing.assert_array_equal(shown.pixels, np.floor(stored.astype(float) * 255 / 16 + 0.5).astype(np.uint8))
    assert shown.pixels.dtype == np.uint8
    assert shown.raw is None
    rendered = RenderedDigits(n_examples=300).splits(0)
    shown = gallery_of(rendered, "train", 30)
    np.testing.assert_array_equal(shown.pixels, rendered.train.x[shown.indices, 0])


def test_a_gallery_is_the_same_every_time_and_stops_at_the_end_of_the_split():
    first, again = (gallery(Xor(n_points=40), 3, "test", 1000) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    assert sorted(first.indices.tolist()) == list(range(10))
    assert first.split == "test"
    assert first.pixels is None
    assert first.raw is None


def test_one_example_equals_its_place_in_the_split():
    splits = Digits().splits(0)
    one = example(splits, "test", 5)
    np.testing.assert_array_equal(one.x, splits.model_input(splits.test.x[5:6]))
    assert one.x.shape == (1, 1, 8, 8)
    assert one.label == splits.test.y[5]
    assert one.pixels.shape == (8, 8)
    assert one.raw is None
    row = example(BreastCancer().splits(0), "test", 0)
    assert row.raw.shape == (30,)
    assert row.pixels is None


@pytest.mark.parametrize("index", [-1, 269])
def test_an_index_outside_the_split_is_refused_with_its_size(index):
    with pytest.raises(SpecError, match="it has 269") as caught:
        example(Digits().splits(0), "test", index)
    assert "0 to 268" in caught.value.hint


def test_a_background_is_a_stratified_part_of_the_training_split():
    splits = BreastCancer().splits(0)
    rows = background(splits, 100, seed=0)
    train = splits.model_input(splits.train.x)
    where = [np.flatnonzero((train == row).all(axis=1))[0] for row in rows]
    assert len(set(where)) == 100
    assert np.mean(splits.train.y[where]) == pytest.approx(np.mean(splits.train.y), abs=0.02)
    np.testing.assert_array_equal(rows, background(splits, 100, seed=0))
    assert not np.array_equal(rows, background(splits, 100, seed=1))
    assert len(background(splits, 10_000, seed=0)) == len(splits.train)
