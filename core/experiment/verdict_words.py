"""The sentences of a verdict: what the numbers say, and what they do not say."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from core.experiment.standing import CONFIDENCE, Comparison, Standing
from core.metrics.statistics import Estimate, n_needed
from core.sentence import Sentence

FEW_SEEDS = 5
"""With fewer, only a very clear difference can show."""
MOST_SEEDS = 16
"""No experiment takes more repeats."""


@dataclass(frozen=True, slots=True)
class Told:
    """All that a verdict knows. `lanes` are in the order of `names`, None for those that left."""

    names: Sequence[str]
    lanes: tuple[Standing | None, ...]
    best: int
    comparisons: tuple[Comparison, ...]
    n_seeds: int
    what: str
    left: tuple[int, ...]

    @property
    def winner(self) -> Standing:
        """The best lane."""
        standing = self.lanes[self.best]
        if standing is None:
            raise ValueError("the best lane has left the race")
        return standing


def no_winner(names: Sequence[str], left: Collection[int], is_any: bool) -> tuple[Sentence, ...]:
    """Where no lane has a figure."""
    first = Sentence("Every seed of every lane diverged: nobody wins.") if is_any else Sentence("No lane is left in the race.")
    return (first, *_left(names, left))


def sentences(told: Told) -> tuple[Sentence, ...]:
    """First who won, then over whom, then what is not decided, then what was left out."""
    said = [*_opening(told), *_better(told), *_noise(told), *_diverged(told), *_left(told.names, told.left)]
    if any(one.p == one.p for one in told.comparisons):
        said.append(
            Sentence(
                "± is the 95 % interval of the mean difference over the same seeds; p by the paired t test, corrected for "
                "{pairs} (Holm).",
                {"pairs": _n_comparisons(told)},
            )
        )
    return tuple(said)


def _n_comparisons(told: Told) -> str:
    """All pairs of lanes with a figure: so many p values are corrected together."""
    n = sum(lane is not None and lane.mean.n > 0 for lane in told.lanes)
    return "1 comparison" if n == 2 else f"{n * (n - 1) // 2:,} comparisons"


def _opening(told: Told) -> Iterator[Sentence]:
    winner, n = told.winner, told.n_seeds
    params = {"name": winner.name, "what": told.what, "mean": number(winner.mean.mean), "few": str(FEW_SEEDS)}
    if n == 1:
        if told.comparisons:
            yield Sentence("{name} has the best {what} ({mean}) with this one seed.", params)
            yield Sentence("One seed proves nothing: another start may turn the order. Race with at least {few} seeds.", params)
        else:
            yield Sentence("{name} reaches a {what} of {mean} with one seed; {few} or more tell how far to trust it.", params)
        return
    params |= {"first": str(winner.n_first), "shared": str(winner.n_shared), "seeds": str(n)}
    params |= {"low": number(winner.mean.low), "high": number(winner.mean.high)}
    if not told.comparisons:
        yield Sentence("{name} reaches a mean {what} of {mean} over {seeds} seeds.", params)
    elif winner.n_shared and not winner.n_first:
        yield Sentence("{name} shares the first place in {shared} of {seeds} seeds.", params)
    elif winner.n_shared:
        yield Sentence("{name} is first in {first} of {seeds} seeds, and shares the first place in {shared} more.", params)
    else:
        yield Sentence("{name} is first in {first} of {seeds} seeds.", params)
    if winner.mean.n > 1:
        yield Sentence("Its mean {what} is {mean} (95 % interval {low} to {high}).", params)


def _better(told: Told) -> Iterator[Sentence]:
    clear = [one for one in told.comparisons if one.is_clear]
    if clear:
        yield Sentence("It is better than {others}.", {"others": _listed(told, clear)})


def _noise(told: Told) -> Iterator[Sentence]:
    """Rivals that may be as good, and with how many seeds the nearest of them could be told apart."""
    unclear = [one for one in told.comparisons if not one.is_clear and one.p == one.p]
    likely = [one for one in unclear if one.p < 1 - CONFIDENCE and one.better_by.mean > 0]
    noise = [one for one in unclear if one not in likely]
    if likely:
        params = {"others": _listed(told, likely), "pairs": _n_comparisons(told)}
        yield Sentence("Its lead over {others} would count by itself, but is not sure among {pairs}.", params)
    if noise:
        yield Sentence("Its difference to {others} is within the noise.", {"others": _listed(told, noise)})
    if unclear:
        yield from _seeds_needed(told, min(unclear, key=lambda one: abs(one.better_by.mean)))
    unpaired = [told.names[one.lane] for one in told.comparisons if one.p != one.p]
    if unpaired and told.n_seeds > 1:
        yield Sentence("With {others} it has fewer than two seeds in common.", {"others": "; ".join(unpaired)})


def _seeds_needed(told: Told, nearest: Comparison) -> Iterator[Sentence]:
    n = n_needed(nearest.better_by.mean, nearest.spread)
    params = {"name": told.names[nearest.lane], "most": str(MOST_SEEDS)}
    if n is None or n > MOST_SEEDS:
        yield Sentence("Even {most} seeds would hardly tell it from {name}: take the two as equal here.", params)
    elif n > told.n_seeds:
        params["seeds"] = str(n)
        yield Sentence("If it is truly ahead of {name} by so much, about {seeds} seeds would show it.", params)


def _diverged(told: Told) -> Iterator[Sentence]:
    for lane in told.lanes:
        if lane is None or not lane.n_diverged:
            continue
        params = {"name": lane.name, "diverged": str(lane.n_diverged), "seeds": str(told.n_seeds)}
        if lane.n_diverged == told.n_seeds:
            yield Sentence("{name} diverged in every seed." if told.n_seeds > 1 else "{name} diverged.", params)
        else:
            yield Sentence("{name} diverged in {diverged} of {seeds} seeds; its mean is that of the others.", params)


def _left(names: Sequence[str], left: Collection[int]) -> Iterator[Sentence]:
    if left:
        gone = "; ".join(names[lane] for lane in sorted(left))
        yield Sentence("Not compared, since not in the race to its end: {names}.", {"names": gone})


def _listed(told: Told, comparisons: Sequence[Comparison]) -> str:
    return "; ".join(f"{told.names[one.lane]} ({_with_noise(one.better_by)}, {_p(one.p_corrected)})" for one in comparisons)


def _with_noise(estimate: Estimate) -> str:
    return f"{number(estimate.mean)} ± {number(estimate.half_width)}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}"
