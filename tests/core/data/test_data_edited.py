"""Examples that were changed by hand go through the same preparation as all others."""

import numpy as np
import pytest

from core.data.edited import at_place, with_hidden, with_values
from core.data.gallery import example
from core.data.preparation import Preparation
from core.data.sequence import Sentiment, text_of, token_numbers
from core.data.tabular import BreastCancer, Iris
from core.data.toy import Spiral
from core.errors import NotApplicable, SpecError


def test_a_changed_number_is_scaled_as_the_training_split_was():
    data = Iris()
    splits = data.splits(0)
    plain = example(splits, "validation", 3)
    changed = with_values(splits, data.preparation, plain, [(2, 9.5)])
    assert changed.raw.tolist() == [*plain.raw[:2].tolist(), 9.5, float(plain.raw[3])]
    assert changed.label == -1
    expected = splits.model_input(changed.raw[None])
    np.testing.assert_allclose(changed.x, expected, rtol=1e-6)
    np.testing.assert_array_equal(np.flatnonzero(changed.x[0] != plain.x[0]), [2])


def test_a_changed_number_is_projected_on_the_same_components():
    data = BreastCancer(preparation=Preparation(scaling="standardise", pca=3))
    splits = data.splits(0)
    plain = example(splits, "test", 0)
    same = with_values(splits, data.preparation, plain, [(0, float(plain.raw[0]))])
    np.testing.assert_allclose(same.x, plain.x, atol=1e-5)
    assert with_values(splits, data.preparation, plain, [(0, 40.0)]).x.shape == (1, 3)


def test_hidden_words_are_left_out_and_the_others_move_together_with_their_evidence():
    splits = Sentiment(n_examples=200).splits(0)
    plain = example(splits, "validation", 0)
    before, length = plain.x.copy(), plain.x.shape[1]
    places = [i for i, token in enumerate(plain.tokens) if token]
    gone = [places[1], int(np.flatnonzero(plain.evidence)[0])]
    kept = [i for i in places if i not in gone]
    hidden = with_hidden(splits, plain, gone)
    words = [plain.tokens[i] for i in kept]
    n_padding = length - len(kept)
    np.testing.assert_array_equal(hidden.x, token_numbers([words], splits.vocabulary, length))
    assert hidden.x.dtype == plain.x.dtype
    assert hidden.tokens == ("",) * n_padding + tuple(words)
    assert hidden.text == text_of(hidden.x[0], splits.vocabulary)
    np.testing.assert_array_equal(hidden.evidence, [*[False] * n_padding, *plain.evidence[kept]])
    assert hidden.evidence.sum() == plain.evidence.sum() - 1
    np.testing.assert_array_equal(plain.x, before)


def test_all_words_can_be_hidden_and_padding_cannot():
    splits = Sentiment(n_examples=200).splits(0)
    plain = next(one for one in (example(splits, "validation", i) for i in range(30)) if not one.tokens[0])
    places = [i for i, token in enumerate(plain.tokens) if token]
    empty = with_hidden(splits, plain, places)
    assert not empty.x.any()
    assert not any(empty.tokens)
    assert not empty.evidence.any()
    with pytest.raises(SpecError, match="no word at place 0"):
        with_hidden(splits, plain, [0])


def test_a_moved_point_gets_all_features_of_its_new_place():
    data = Spiral(n_points=200, features=("x1", "x1_squared", "x1_x2"))
    splits = data.splits(0)
    plain = example(splits, "validation", 3)
    here = data.place(0, 1, 3)
    same = at_place(splits, data, plain, here)
    np.testing.assert_array_equal(same.x, plain.x)
    np.testing.assert_allclose(splits.model_input(data.features_of(here[None])), plain.x, rtol=1e-6)
    moved = at_place(splits, data, plain, here, [(0, 2.0), (1, -3.0)])
    np.testing.assert_allclose(moved.x, splits.model_input(np.array([[2.0, 4.0, -6.0]], np.float32)), rtol=1e-6)
    assert (moved.label, moved.raw.tolist()) == (-1, [2.0, -3.0])
    with pytest.raises(SpecError, match="no coordinate 2"):
        at_place(splits, data, plain, here, [(2, 1.0)])


def test_what_cannot_be_changed_is_refused_in_words():
    iris, texts = Iris(), Sentiment(n_examples=200)
    row, text = example(iris.splits(0), "test", 0), example(texts.splits(0), "test", 0)
    with pytest.raises(SpecError, match="no column 4, there are 4"):
        with_values(iris.splits(0), iris.preparation, row, [(4, 1.0)])
    with pytest.raises(NotApplicable, match="rows of a table"):
        with_values(texts.splits(0), texts.preparation, text, [(0, 1.0)])
    with pytest.raises(NotApplicable, match="words to hide"):
        with_hidden(iris.splits(0), row, [0])
