"""Galleries, single examples and backgrounds."""

import numpy as np
import pytest

from core.data.dataset import DataProfile, Split, unprepared
from core.data.evidence import KnownEvidence
from core.data.gallery import background, example, gallery, gallery_of
from core.data.preparation import Preparation
from core.data.prepare import prepared
from core.data.rendered import Digits, RenderedDigits
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Diabetes, Iris
from core.data.toy import Xor
from core.errors import SpecError
from core.results.codec import load_result, result_bytes
from core.results.examples import ExampleGallery


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


def test_one_class_alone_and_page_by_page():
    splits = Digits().splits(0)
    sevens = np.flatnonzero(splits.validation.y == 7)
    pages = [gallery_of(splits, "validation", 10, label=7, start=start) for start in range(0, len(sevens), 10)]
    np.testing.assert_array_equal(np.concatenate([page.indices for page in pages]), sevens)
    assert all((page.labels == 7).all() for page in pages)
    assert {page.n_matching for page in pages} == {len(sevens)}
    assert len(gallery_of(splits, "validation", 10, label=7, start=1000).indices) == 0


def test_pages_of_all_classes_hold_each_example_once():
    splits = Iris().splits(0)
    pages = [gallery_of(splits, "train", 25, start=start) for start in range(0, 105, 25)]
    assert sorted(np.concatenate([page.indices for page in pages]).tolist()) == list(range(105))
    assert pages[0].n_matching == 105


@pytest.mark.parametrize(("choice", "label"), [(Iris(), 3), (Iris(), -1), (Diabetes(), 0)])
def test_a_class_that_is_not_there_is_refused_with_their_number(choice, label):
    with pytest.raises(SpecError, match=f"no class {label}, there are {choice.profile().n_classes}") as caught:
        gallery(choice, 0, "train", 5, label=label)
    assert caught.value.hint


def test_targets_are_in_their_own_unit_whatever_the_model_is_given():
    plain, scaled = (Diabetes(preparation=Preparation(scale_target=scale)).splits(0) for scale in (False, True))
    assert abs(scaled.train.y.mean()) < 1e-4
    shown, expected = gallery_of(scaled, "test", 20), plain.test.y
    np.testing.assert_array_equal(shown.indices, np.arange(20))
    np.testing.assert_allclose(shown.targets, expected[:20], rtol=1e-5)
    assert set(shown.labels.tolist()) == {-1}
    assert shown.target_name == "disease progression after one year"
    one = example(scaled, "test", 4)
    assert one.target == pytest.approx(expected[4], rel=1e-5)
    assert one.label == -1


def test_a_background_of_a_regression_has_small_and_large_targets():
    splits = Diabetes().splits(0)
    rows = background(splits, 30, seed=0)
    train = splits.model_input(splits.train.x)
    targets = splits.train.y[[np.flatnonzero((train == row).all(axis=1))[0] for row in rows]]
    tenths = np.searchsorted(np.quantile(splits.train.y, np.arange(0.1, 1, 0.1)), targets)
    assert np.bincount(tenths, minlength=10).tolist() == pytest.approx([3] * 10, abs=1)


def test_sentences_are_shown_as_text_with_the_words_that_decide():
    for language, gap in (("en", " "), ("zh", "")):
        splits = Sentiment(language=language, n_examples=300, tokens="word").splits(0)
        shown = gallery_of(splits, "validation", 8)
        for at, text in enumerate(shown.texts):
            tokens = [shown.vocabulary[number] for number in shown.values[at] if number]
            assert text == gap.join(tokens)
        assert shown.values.dtype == np.int64
        np.testing.assert_array_equal(shown.evidence, splits.validation.evidence[shown.indices])
        one = example(splits, "validation", int(shown.indices[3]))
        assert one.text == shown.texts[3]
        assert gap.join(token for token in one.tokens if token) == one.text
        assert len(one.tokens) == splits.profile.input_shape[0]
        np.testing.assert_array_equal(one.evidence, shown.evidence[3])
        assert one.x.dtype == np.int64
        assert background(splits, 10, 0).dtype == np.int64


def test_pictures_stay_to_be_seen_when_the_model_gets_components():
    plain = KnownEvidence(n_examples=200)
    components = plain.but(preparation=Preparation(scaling="unit", pca=5)).splits(0)
    shown, expected = gallery_of(components, "train", 12), gallery_of(plain.splits(0), "train", 12)
    np.testing.assert_array_equal(shown.pixels, expected.pixels)
    np.testing.assert_array_equal(shown.evidence, expected.evidence)
    assert shown.pixels.shape == (12, 32, 32, 3)
    assert shown.values.shape == (12, 5)
    assert shown.raw is None
    one = example(components, "train", 3)
    assert one.pixels.shape == (32, 32, 3)
    assert one.x.shape == (1, 5)
    assert one.evidence.shape == (32, 32)


def table_with_a_gap():
    """Six rows of a number with one gap and a category."""
    x = np.array([[1.0, 0], [2, 1], [np.nan, 2], [4, 0], [5, 1], [6, 2]], np.float32)
    y = np.array([0, 1, 0, 1, 0, 1])
    profile = DataProfile(
        "tabular", (2,), ("no", "yes"), 2, 2, 2, feature_names=("size", "colour"), categories=((), ("red", "green", "blue"))
    )
    parts = [Split(x[start : start + 2], y[start : start + 2]) for start in (0, 2, 4)]
    return unprepared(profile, parts)


def test_a_table_is_shown_as_it_came_with_its_own_columns():
    splits = prepared(table_with_a_gap(), Preparation(scaling="standardise"), 0)
    assert splits.profile.input_shape == (4,)
    shown = gallery_of(splits, "validation", 2)
    np.testing.assert_array_equal(shown.raw, [[np.nan, 2], [4, 0]])
    assert shown.raw_names == ("size", "colour")
    assert shown.raw_categories == ((), ("red", "green", "blue"))
    assert len(shown.feature_names) == shown.values.shape[1] == 4
    assert np.isfinite(shown.values).all()
    one = example(splits, "test", 1)
    assert one.raw.tolist() == [6, 2]
    assert one.raw_names == ("size", "colour")


@pytest.mark.parametrize("choice", [Iris(), Diabetes(), Sentiment(n_examples=200), KnownEvidence(n_examples=200), Xor()])
def test_a_gallery_survives_its_file(choice):
    shown = gallery(choice, 0, "validation", 6)
    again = load_result(ExampleGallery, result_bytes(shown))
    for name in ExampleGallery.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(shown, name))
