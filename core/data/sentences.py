"""Templated sentences with a feeling, English and Chinese, of which it is known which words decide it.

A clause is one phrase of each slot: an opening, a subject, a verb, an adverb or a negation, an adjective, an ending. Every
sentence of a set is another one. Numpy only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal

import numpy as np

from core.data.phrases import PHRASES, Language
from core.seeds import stream_seed

Unit = Literal["word", "character"]
BLOCK = 500
"""Sentences drawn from one random stream; a set of any size is a cut of the same endless row of blocks."""
NEGATION, CONTRAST = 2, 3
"""Levels from which there are negations, and two clauses."""
CONTRAST_SHARE = 0.5
ADVERB_AFTER_NEGATION = 0.4
"""Share of English negations with an adverb behind: `not very good`."""
NO_SPACE_BEFORE = frozenset(",")


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens, which of them decide the feeling, and whether it is positive."""

    tokens: tuple[str, ...]
    evidence: tuple[bool, ...]
    is_positive: bool


Part = tuple[str, bool]
"""A phrase, and whether it decides."""


def sentences(n: int, seed: int, language: Language, level: int, negation: float) -> list[Sentence]:
    """`n` different sentences in words, the first n of one endless row. About 50,000 per second.

    Args:
        level: 1 plain, 2 with negations, 3 also with two clauses of which the second decides.
        negation: share of negated clauses, from level 2 on.
    """
    found: dict[tuple[str, ...], Sentence] = {}
    number = 0
    while len(found) < n:
        rng = np.random.default_rng([stream_seed(seed, "data"), number, level, int(language == "zh")])
        for sentence in _block(rng, language, level, negation):
            found.setdefault(sentence.tokens, sentence)
        number += 1
    return list(found.values())[:n]


def in_characters(sentence: Sentence, language: Language) -> Sentence:
    """The same sentence with one token per character, in English with the spaces between words."""
    spaced = [
        (" " if i and language == "en" and token not in NO_SPACE_BEFORE else "", token, decides)
        for i, (token, decides) in enumerate(zip(sentence.tokens, sentence.evidence, strict=True))
    ]
    letters = [(letter, decides) for gap, token, decides in spaced for letter, decides in _letters(gap, token, decides)]
    return Sentence(tuple(each for each, _ in letters), tuple(each for _, each in letters), sentence.is_positive)


def _letters(gap: str, token: str, decides: bool) -> list[Part]:
    return [*((letter, False) for letter in gap), *((letter, decides) for letter in token)]


@cache
def vocabulary(language: Language, level: int, unit: Unit) -> tuple[str, ...]:
    """Every token that can occur, in the order of the slots."""
    words = dict.fromkeys(chain.from_iterable(_words(phrase, language) for slot in _slots(language, level) for phrase in slot))
    if unit == "word":
        return tuple(words)
    letters = dict.fromkeys("".join(words))
    return (" ", *letters) if language == "en" else tuple(letters)


@cache
def longest(language: Language, level: int, unit: Unit) -> int:
    """The number of tokens of the longest sentence that can occur."""
    phrases = PHRASES[language]

    def length(*slots: tuple[str, ...]) -> int:
        return sum(max(_length(phrase, language, unit) for phrase in slot) for slot in slots)

    clause = length(phrases.opening, phrases.subject, phrases.verb, phrases.positive + phrases.negative, phrases.ending)
    negated = length(phrases.negation) + (length(phrases.adverb) if language == "en" else 0)
    clause += max(length(phrases.adverb), negated) if level >= NEGATION else length(phrases.adverb)
    both = 2 * clause + len(phrases.comma) + length(phrases.contrast) if level >= CONTRAST else clause
    return both - 1 if language == "en" and unit == "character" else both  # no space before the first word


def _length(phrase: str, language: Language, unit: Unit) -> int:
    """Tokens of a phrase; in English characters with the space before each word."""
    words = _words(phrase, language)
    if unit == "word":
        return len(words)
    return sum(len(word) for word in words) + (len(words) if language == "en" else 0)


def _slots(language: Language, level: int) -> list[tuple[str, ...]]:
    """The slots that sentences of this level have."""
    phrases = PHRASES[language]
    slots = [phrases.opening, phrases.subject, phrases.verb, phrases.adverb]
    slots += [phrases.negation] if level >= NEGATION else []
    slots += [phrases.negative, phrases.positive, phrases.ending]
    return [*slots, phrases.contrast, (phrases.comma,)] if level >= CONTRAST else slots


def _words(phrase: str, language: Language) -> list[str]:
    return phrase.split() if language == "en" else [phrase] * bool(phrase)


def _block(rng: np.random.Generator, language: Language, level: int, negation: float) -> Iterator[Sentence]:
    """One block of sentences, some of them perhaps equal."""
    phrases = PHRASES[language]
    firsts, seconds = (list(_clauses(rng, language, level, negation)) for _ in range(2))
    is_double = (rng.random(BLOCK) < CONTRAST_SHARE) & (level >= CONTRAST)
    contrasts = rng.integers(0, len(phrases.contrast), BLOCK)
    for first, second, both, contrast in zip(firsts, seconds, is_double.tolist(), contrasts.tolist(), strict=True):
        parts, is_positive = first
        if both:
            joint: list[Part] = [(phrases.comma, False), (phrases.contrast[contrast], True)]
            parts = [(phrase, False) for phrase, _ in parts] + joint + second[0]
            is_positive = second[1]
        tokens = [(word, decides) for phrase, decides in parts for word in _words(phrase, language)]
        yield Sentence(tuple(word for word, _ in tokens), tuple(decides for _, decides in tokens), is_positive)


def _clauses(rng: np.random.Generator, language: Language, level: int, negation: float) -> Iterator[tuple[list[Part], bool]]:
    """One block of clauses: their phrases, and whether they are positive."""
    phrases = PHRASES[language]
    slots = (phrases.opening, phrases.subject, phrases.verb, phrases.adverb, phrases.negation, phrases.ending)
    drawn = np.stack([rng.integers(0, len(slot), BLOCK) for slot in slots], axis=1)
    feels_good, adjective = rng.integers(0, 2, BLOCK), rng.integers(0, len(phrases.positive), BLOCK)
    negated = (rng.random(BLOCK) < negation) & (level >= NEGATION)
    has_adverb = ~negated | ((rng.random(BLOCK) < ADVERB_AFTER_NEGATION) & (language == "en"))
    rows = zip(drawn.tolist(), feels_good.tolist(), adjective.tolist(), negated.tolist(), has_adverb.tolist(), strict=True)
    for numbers, good, which, is_negated, is_strong in rows:
        opening, subject, verb, adverb, negating, ending = (slot[i] for slot, i in zip(slots, numbers, strict=True))
        yield (
            [
                (opening, False),
                (subject, False),
                (verb, False),
                (negating if is_negated else "", True),
                (adverb if is_strong else "", False),
                ((phrases.positive if good else phrases.negative)[which], True),
                (ending, False),
            ],
            bool(good) != is_negated,
        )
