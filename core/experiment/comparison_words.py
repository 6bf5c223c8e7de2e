"""Two models compared, in sentences: whether they differ, by how much, how that was tested, and what would tell."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.metrics.comparison import McNemar, examples_needed
from core.metrics.statistics import Estimate, Paired, holm, n_needed
from core.sentence import Sentence

ALPHA = 0.05
MOST_SEEDS = 16
"""No experiment takes more repeats."""

Test = Literal["seeds", "folds", "examples", "errors"]
"""Paired over seeds or over folds (t tests), over examples by which of them are right (McNemar), or by how far off (t test)."""
Unit = Literal["share", "number"]
"""Shares are told in points: hundredths."""

_OF_MODELS = (
    "It assumes that the examples were drawn one by one. It tells of other examples for these two trained models, and nothing "
    "of another training with another seed."
)
_NAMES: dict[Test, str] = {
    "seeds": "Paired t test over {n} seeds (Student 1908): seed i of the one against seed i of the other.",
    "folds": "Corrected resampled t test over {n} folds (Nadeau and Bengio 2003): folds share most of their training examples, "
    "so that a plain t test would be too sure.",
    "examples": "McNemar's exact test on {n} examples: {only_a} that only {a} gets right, {only_b} that only {b} gets right.",
    "errors": "Paired t test over {n} examples: how far off each prediction is.",
}
_ASSUMED: dict[Test, str] = {
    "seeds": "It assumes that the differences are about normal. It tells of other initial weights and batch orders on these "
    "very examples, and nothing of other examples.",
    "folds": "It assumes that the differences are about normal, and that folds are as alike as their common examples make "
    "them. It tells of other examples of the same kind.",
    "examples": _OF_MODELS,
    "errors": _OF_MODELS,
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What is compared: its name as in "by 1.2 points of accuracy", whether less is better, and in what it is told."""

    what: str
    is_lower_better: bool = False
    unit: Unit = "share"


@dataclass(frozen=True, slots=True)
class Compared:
    """`a` against `b`. `difference` is a minus b, with its 95 % interval."""

    a: str
    b: str
    figure: Figure
    test: Test
    difference: Estimate
    p: float
    spread: float = math.nan
    """Standard deviation of the differences, of t tests."""
    counts: McNemar | None = None
    p_corrected: float = math.nan
    """Corrected for the number of tests that are told together."""

    @property
    def is_first_ahead(self) -> bool:
        """Whether `a` has the better mean."""
        return (self.difference.mean < 0) == self.figure.is_lower_better

    @property
    def is_clear(self) -> bool:
        """Whether luck is excluded as far as a test can."""
        return self.p_corrected < ALPHA


def paired(a: str, b: str, figure: Figure, test: Test, found: Paired) -> Compared:
    """Of a t test."""
    return Compared(a, b, figure, test, found.difference, found.p, found.spread)


def by_examples(a: str, b: str, found: McNemar) -> Compared:
    """Of McNemar's test."""
    return Compared(a, b, Figure("accuracy"), "examples", found.difference, found.p, counts=found)


def corrected(tests: Sequence[Compared]) -> tuple[Compared, ...]:
    """Tests that are told together, with their p values corrected for their number (Holm)."""
    values = holm([one.p for one in tests])
    return tuple(replace(one, p_corrected=p) for one, p in zip(tests, values, strict=True))


def verdict_sentences(one: Compared, n_tests: int = 1) -> tuple[Sentence, ...]:
    """What the numbers say, and what would say more. `one` is of `corrected`, which was given `n_tests` tests."""
    if math.isnan(one.p):
        params = {"a": one.a, "b": one.b}
        return (Sentence("{a} and {b} have too little in common to be compared: a test needs at least two pairs.", params),)
    return (_difference(one, n_tests), *_would_tell(one))


def method_sentences(one: Compared, n_tests: int = 1) -> tuple[Sentence, ...]:
    """Which test it was, what it assumes, and what was corrected."""
    counts = one.counts
    params = {"n": f"{one.difference.n:,}", "a": one.a, "b": one.b}
    if counts is not None:
        params |= {"only_a": f"{counts.only_first:,}", "only_b": f"{counts.only_second:,}"}
    said = [Sentence(_NAMES[one.test], params), Sentence(_ASSUMED[one.test])]
    if n_tests > 1:
        said.append(Sentence("p values are corrected for {n} comparisons (Holm 1979).", {"n": str(n_tests)}))
    return tuple(said)


def _difference(one: Compared, n_tests: int) -> Sentence:
    mean, low, high = _lead(one)
    first, second = (one.a, one.b) if one.is_first_ahead else (one.b, one.a)
    params = {"first": first, "second": second, "what": one.figure.what, "p": _p(one.p_corrected), "tests": str(n_tests)}
    params |= {"lead": amount(mean, one.figure.unit), "interval": _interval(low, high, one.figure.unit)}
    if one.difference.mean == 0 and one.p == 1:
        return Sentence("{first} and {second} come out exactly alike in {what}: nothing tells them apart.", params)
    if one.is_clear:
        return Sentence("{first} is better than {second} by {lead} of {what} (95 % interval {interval}), {p}.", params)
    if one.p < ALPHA:
        return Sentence(
            "{first} is ahead of {second} by {lead} of {what} (95 % interval {interval}). Alone that would count; among "
            "{tests} comparisons it is not sure ({p}).",
            params,
        )
    return Sentence(
        "The difference is within the noise: {first} is ahead of {second} by {lead} of {what} (95 % interval {interval}), {p}.",
        params,
    )


def _lead(one: Compared) -> tuple[float, float, float]:
    """By how much the better one leads, and the ends of its interval."""
    mean, low, high = one.difference.mean, one.difference.low, one.difference.high
    return (mean, low, high) if mean >= 0 else (-mean, -high, -low)


def _would_tell(one: Compared) -> Iterator[Sentence]:
    """How much more there would have to be, where luck is not excluded."""
    if one.is_clear or one.difference.mean == 0:
        return
    match one.test:
        case "seeds":
            yield _seeds(one)
        case "folds":
            yield Sentence("More folds hardly help, since they share their examples; more examples do.")
        case "examples" if one.counts is not None and (n := examples_needed(one.counts)) is not None:
            yield Sentence("If it is truly so large, about {n} test examples would show it.", {"n": _rounded(n)})
        case "errors" if (n := n_needed(one.difference.mean, one.spread)) is not None and n > one.difference.n:
            yield Sentence("If it is truly so large, about {n} test examples would show it.", {"n": _rounded(n)})
        case _:
            return


def _seeds(one: Compared) -> Sentence:
    n = n_needed(one.difference.mean, one.spread)
    if n is None or n > MOST_SEEDS:
        params = {"most": str(MOST_SEEDS)}
        return Sentence("Even {most} seeds would hardly tell them apart: take the two as equal here.", params)
    if n > one.difference.n:
        return Sentence("If it is truly so large, about {n} seeds would show it.", {"n": str(n)})
    return Sentence("It is close to being sure: a few more seeds would tell.")


def amount(value: float, unit: Unit) -> str:
    """A difference: shares in points, which are hundredths."""
    return f"{_digits(100 * value)} points" if unit == "share" else f"{value:.3g}"


def _interval(low: float, high: float, unit: Unit) -> str:
    if unit == "share":
        return f"{_digits(100 * low)} to {_digits(100 * high)}"
    return f"{low:.3g} to {high:.3g}"


def _digits(points: float) -> str:
    return f"{points:.2g}" if abs(points) < 10 else f"{points:.3g}"


def _rounded(n: int) -> str:
    """Two digits: more would not be true."""
    size = 10 ** max(0, len(str(n)) - 2)
    return f"{math.ceil(n / size) * size:,}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
