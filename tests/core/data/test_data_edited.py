"""Examples that were changed by hand go through the same preparation as all others."""

import numpy as np
import pytest

from core.data.edited import UNKNOWN_TOKEN, with_hidden, with_values
from core.data.gallery import example
from core.data.preparation import Preparation
from core.data.sequence import Sentiment
from core.data.tabular import BreastCancer, Iris
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


def test_a_hidden_word_is_the_unknown_token_and_padding_cannot_be_hidden():
    splits = Sentiment(n_examples=200).splits(0)
    plain = example(splits, "validation", 0)
    place = next(i for i, token in enumerate(plain.tokens) if token)
    hidden = with_hidden(splits, plain, [place])
    assert hidden.x[0, place] == UNKNOWN_TOKEN
    assert hidden.tokens[place] == splits.vocabulary[UNKNOWN_TOKEN]
    np.testing.assert_array_equal(np.flatnonzero(hidden.x[0] != plain.x[0]), [place])
    assert plain.x[0, place] != UNKNOWN_TOKEN
    if place:
        with pytest.raises(SpecError, match="no word at place 0"):
            with_hidden(splits, plain, [0])


def test_what_cannot_be_changed_is_refused_in_words():
    iris, texts = Iris(), Sentiment(n_examples=200)
    row, text = example(iris.splits(0), "test", 0), example(texts.splits(0), "test", 0)
    with pytest.raises(SpecError, match="no column 4, there are 4"):
        with_values(iris.splits(0), iris.preparation, row, [(4, 1.0)])
    with pytest.raises(NotApplicable, match="rows of a table"):
        with_values(texts.splits(0), texts.preparation, text, [(0, 1.0)])
    with pytest.raises(NotApplicable, match="words to hide"):
        with_hidden(iris.splits(0), row, [0])
