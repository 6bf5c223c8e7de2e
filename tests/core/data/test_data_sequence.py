"""Sentences, their tokens, and which of them decide: read back from the text alone by the rules that a person would use."""

import hashlib
import re
from functools import cache

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from core.data.phrases import PHRASES
from core.data.sentences import in_characters, longest, sentences
from core.data.sequence import PADDING, UNKNOWN, Sentiment, text_of, token_numbers

EVERY = [
    pytest.param(Sentiment(language=language, level=level, tokens=tokens, n_examples=1500), id=f"{language}-{level}-{tokens}")
    for language in ("en", "zh")
    for level in (1, 2, 3)
    for tokens in ("word", "character")
]


@cache
def loaded(choice):
    return choice.splits(0)


def parts(splits):
    return (splits.train, splits.validation, splits.test)


def feeling(text, language):
    """Whether a sentence is positive, by its last clause."""
    phrases = PHRASES[language]
    clause = re.split(f"{phrases.comma} *", text)[-1]
    clause = re.sub("^(" + "|".join(phrases.contrast) + ")", "", clause)

    def has(options):
        return any(re.search(rf"\b{word}\b" if language == "en" else word, clause) for word in options)

    assert has(phrases.positive) != has(phrases.negative)
    return has(phrases.positive) != has(phrases.negation)


@pytest.mark.parametrize("choice", EVERY)
def test_the_label_can_be_read_off_the_text(choice):
    splits = loaded(choice)
    for part in parts(splits):
        read = [feeling(text_of(row, splits.vocabulary), choice.language) for row in part.x]
        np.testing.assert_array_equal(part.y, read)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_evidence_is_the_adjective_its_negation_and_the_contrast_of_the_last_clause(language):
    phrases = PHRASES[language]
    deciding = {*phrases.positive, *phrases.negative, *phrases.negation, *phrases.contrast}
    for sentence in sentences(1500, 0, language, 3, 0.3):
        clause = len(sentence.tokens) - sentence.tokens[::-1].index(phrases.comma) if phrases.comma in sentence.tokens else 0
        expected = [at >= clause and token in deciding for at, token in enumerate(sentence.tokens)]
        assert list(sentence.evidence) == expected


@pytest.mark.parametrize("choice", EVERY)
def test_padding_is_on_the_left_and_every_token_is_known(choice):
    splits = loaded(choice)
    n_tokens = splits.profile.n_tokens
    assert splits.vocabulary[:2] == (PADDING, UNKNOWN)
    assert len(splits.vocabulary) == len(set(splits.vocabulary)) == n_tokens
    for part in parts(splits):
        is_token = part.x != 0
        assert (np.diff(is_token.astype(int), axis=1) >= 0).all()
        assert is_token.any(axis=1).all()
        assert part.x[is_token].min() >= 2
        assert part.x.max() < n_tokens
    used = set(np.unique(np.concatenate([part.x for part in parts(splits)])).tolist())
    assert used >= set(range(2, n_tokens))  # nothing in the vocabulary that never occurs


@pytest.mark.parametrize(("language", "unit"), [("en", "word"), ("zh", "word"), ("zh", "character")])
def test_the_longest_sentence_that_can_occur_does_occur(language, unit):
    drawn = sentences(12_000 if unit == "character" else 4000, 1, language, 2, 0.5)
    lengths = [len(sentence.tokens if unit == "word" else in_characters(sentence, language).tokens) for sentence in drawn]
    assert max(lengths) == longest(language, 2, unit)


def test_the_longest_english_sentence_in_letters_is_its_longest_phrases_joined():
    each = PHRASES["en"]
    slots = (each.opening, each.subject, each.verb, each.negation, each.adverb, each.positive + each.negative, each.ending)
    clause = " ".join(max(slot, key=len) for slot in slots)
    assert longest("en", 2, "character") == len(clause)
    assert longest("en", 3, "character") == len(f"{clause}, however {clause}")


def test_words_and_characters_are_the_same_sentences_with_the_same_evidence():
    for language in ("en", "zh"):
        words, letters = (
            Sentiment(language=language, level=3, tokens=unit, n_examples=300).splits(1) for unit in ("word", "character")
        )
        for row, letter_row, mask, letter_mask in zip(
            words.train.x, letters.train.x, words.train.evidence, letters.train.evidence, strict=True
        ):
            assert text_of(row, words.vocabulary) == text_of(letter_row, letters.vocabulary)
            said = "".join(words.vocabulary[number] for number in row[mask])
            assert said == "".join(letters.vocabulary[number] for number in letter_row[letter_mask])


def test_automatic_tokens_are_words_in_english_and_characters_in_chinese():
    assert Sentiment().profile().input_shape == Sentiment(tokens="word").profile().input_shape
    assert Sentiment(language="zh").profile().n_tokens == Sentiment(language="zh", tokens="character").profile().n_tokens


def test_no_sentence_is_there_twice_and_a_longer_set_begins_like_a_shorter_one():
    for language in ("en", "zh"):
        long = sentences(3000, 5, language, 3, 0.3)
        assert len({sentence.tokens for sentence in long}) == 3000
        assert sentences(700, 5, language, 3, 0.3) == long[:700]


@pytest.mark.parametrize("negation", [0.0, 0.3, 0.5])
def test_the_share_of_negated_sentences_is_the_one_that_was_asked_for(negation):
    for language in ("en", "zh"):
        texts = sentences(4000, 0, language, 2, negation)
        share = np.mean([sum(sentence.evidence) == 2 for sentence in texts])
        assert share == pytest.approx(negation, abs=0.03)
        assert all(sum(sentence.evidence) == 1 for sentence in sentences(200, 0, language, 1, negation))


@pytest.mark.parametrize(("level", "negation", "low", "high"), [(1, 0.3, 0.999, 1.0), (2, 0.3, 0.6, 0.8), (2, 0.5, 0.4, 0.6)])
def test_a_bag_of_words_solves_level_1_and_is_at_chance_when_half_is_negated(level, negation, low, high):
    splits = Sentiment(level=level, negation=negation).splits(0)
    texts = [[text_of(row, splits.vocabulary) for row in part.x] for part in (splits.train, splits.test)]
    counts = CountVectorizer()
    train, test = counts.fit_transform(texts[0]), counts.transform(texts[1])
    model = LogisticRegression(max_iter=300).fit(train, splits.train.y)
    assert low <= model.score(test, splits.test.y) <= high


def test_flipped_labels_are_a_share_of_all_splits_and_leave_the_text_alone():
    clean, flipped = Sentiment().original(0), Sentiment(label_flip=0.1).original(0)
    assert np.mean(clean.train.y != flipped.train.y) > 0
    assert sorted(row.tobytes() for part in parts(clean) for row in part.x) == sorted(
        row.tobytes() for part in parts(flipped) for row in part.x
    )
    told = {row.tobytes(): label for part in parts(clean) for row, label in zip(part.x, part.y, strict=True)}
    for part in parts(flipped):
        wrong = [told[row.tobytes()] != label for row, label in zip(part.x, part.y, strict=True)]
        assert np.mean(wrong) == pytest.approx(0.1, abs=0.035)


def test_the_generator_gives_the_same_bytes_for_ever():
    digest = hashlib.sha256()
    for language in ("en", "zh"):
        train = Sentiment(language=language, level=3, n_examples=1000, label_flip=0.05).original(7).train
        digest.update(train.x.tobytes() + train.y.tobytes() + train.evidence.tobytes())
    assert digest.hexdigest()[:16] == "7b93f90230882211"


def test_unknown_tokens_are_1_and_what_does_not_fit_is_cut():
    known = (PADDING, UNKNOWN, "a", "b")
    numbers = token_numbers([["a", "x", "b"], ["b"], list("abab"), []], known, 3)
    assert numbers.tolist() == [[2, 1, 3], [0, 0, 3], [2, 3, 2], [0, 0, 0]]
    assert numbers.dtype == np.int64


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (("it", "is", "good", ",", "but", "slow", "!"), "it is good, but slow!"),
        (("饭", "菜", "很", "好"), "饭菜很好"),
        (("很", "好", "\uff0c", "really", "good"), "很好\uff0creally good"),
    ],
)
def test_text_reads_as_it_is_written(tokens, text):
    known = (PADDING, UNKNOWN, *dict.fromkeys(tokens))
    assert text_of(token_numbers([tokens], known, 9)[0], known) == text


def test_characters_keep_their_own_spaces():
    known = (PADDING, UNKNOWN, " ", *"abc")
    assert text_of(token_numbers(["a b ca"], known, 9)[0], known) == "a b ca"
