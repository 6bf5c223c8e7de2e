"""Sentences as rows of token numbers, padded on the left."""

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import DataProfile, DatasetChoice, Splits, unprepared
from core.data.phrases import Language
from core.data.sentences import Unit, in_characters, longest, sentences, vocabulary
from core.data.split import cut, split_sizes
from core.seeds import stream_seed

PADDING, UNKNOWN = "<pad>", "<unknown>"
SPECIAL = (PADDING, UNKNOWN)
"""The tokens with the numbers 0 and 1."""
UNSPACED = "\u3000-\u303f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
"""Chinese and Japanese letters and signs, which are written without spaces."""


class Sentiment(DatasetChoice):
    """Is the sentence positive or negative? English or Chinese from templates, and the words that decide are known."""

    kind: Literal["sentiment"] = "sentiment"
    label: ClassVar[str] = "Sentiment"

    language: Language = "en"
    """en for English, zh for Chinese."""
    level: int = Field(2, ge=1, le=3)
    """1: the adjective decides. 2: some are negated. 3: some have two clauses, and the one behind "but" decides."""
    n_examples: int = Field(4000, ge=200, le=20_000, title="examples")
    """Number of sentences, each another one."""
    negation: float = Field(0.3, ge=0.0, le=0.5, multiple_of=0.05)
    """Share of negated clauses, from level 2 on. With 0.5 no single word tells anything."""
    tokens: Literal["auto", "word", "character"] = "auto"
    """What the model gets as one token; auto for words in English and characters in Chinese."""
    label_flip: float = Field(0.0, ge=0.0, le=0.1, multiple_of=0.01)
    """Share of sentences with the wrong label, in all splits, as in data that people have labelled."""

    @property
    def unit(self) -> Unit:
        """What one token is."""
        if self.tokens == "auto":
            return "word" if self.language == "en" else "character"
        return self.tokens

    def vocabulary(self) -> tuple[str, ...]:
        """The token of each number."""
        return (PADDING, UNKNOWN, *vocabulary(self.language, self.level, self.unit))

    def original_profile(self) -> DataProfile:
        """What is known before loading."""
        return DataProfile(
            "sequence",
            (longest(self.language, self.level, self.unit),),
            ("negative", "positive"),
            *split_sizes(self.n_examples, self.train_share, self.validation_share),
            n_tokens=len(self.vocabulary()),
        )

    def original(self, seed: int) -> Splits:
        """Token numbers (N, L) int64 and, as evidence, which tokens decide (N, L) bool."""
        drawn = sentences(self.n_examples, seed, self.language, self.level, self.negation)
        if self.unit == "character":
            drawn = [in_characters(sentence, self.language) for sentence in drawn]
        profile, known = self.original_profile(), self.vocabulary()
        (length,) = profile.input_shape
        x = token_numbers([sentence.tokens for sentence in drawn], known, length)
        evidence = np.zeros((len(drawn), length), bool)
        for row, sentence in zip(evidence, drawn, strict=True):
            row[length - len(sentence.evidence) :] = sentence.evidence
        y = np.array([sentence.is_positive for sentence in drawn])
        y ^= np.random.default_rng([stream_seed(seed, "data"), 0, 0, 2]).random(len(y)) < self.label_flip
        parts = cut(x, y.astype(np.int64), (profile.n_train, profile.n_validation, profile.n_test), seed, evidence)
        return unprepared(profile, parts, vocabulary=known)


def token_numbers(texts: Sequence[Sequence[str]], known: tuple[str, ...], length: int) -> np.ndarray:
    """Tokens as their numbers (N, length) int64: 0 for padding on the left, 1 if unknown; too long ones are cut."""
    numbers = {token: number for number, token in enumerate(known)}
    x = np.zeros((len(texts), length), np.int64)
    for row, tokens in zip(x, texts, strict=True):
        kept = tokens[:length]
        row[length - len(kept) :] = [numbers.get(token, 1) for token in kept]
    return x


def text_of(numbers: np.ndarray, known: tuple[str, ...]) -> str:
    """One row of token numbers as a person reads it: without padding, words with spaces between where a language has them."""
    tokens = [known[number] for number in numbers if number != 0]
    if " " in known:  # the tokens are characters
        return "".join(tokens)
    return re.sub(rf" (?=[,.;:!?{UNSPACED}])|(?<=[{UNSPACED}]) ", "", " ".join(tokens))
