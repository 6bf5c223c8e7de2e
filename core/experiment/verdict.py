"""Who won a race, and how sure that is: lanes compared over the same seeds, in numbers and in sentences.

The best lane is named after looking at the results, so that p values are corrected for all pairs of lanes (Holm 1979): then
the chance that luck alone makes one lane better than another anywhere stays below 5 %, whichever came out best.
"""

import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from core.experiment.standing import CONFIDENCE, Comparison, Standing
from core.experiment.verdict_words import Told, no_winner, sentences
from core.metrics.statistics import Floats, Paired, holm, mean_estimate, paired_comparison
from core.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a race showed. Lanes that left it are None in `lanes`."""

    lanes: tuple[Standing | None, ...]
    best: int | None
    """The lane with the fewest diverged seeds and, among those, the best mean; None where every seed diverged."""
    comparisons: tuple[Comparison, ...]
    """The best lane with each other one, in the order of lanes."""
    sentences: tuple[Sentence, ...]


def verdict(
    lane_names: Sequence[str],
    values: Floats,
    *,
    is_lower_better: bool = True,
    what: str = "validation loss",
    left: Collection[int] = (),
) -> Verdict:
    """Compare the lanes of a race.

    Args:
        values: (lanes, repeats) float64; column k of all lanes is the same seed. NaN for a seed that diverged.
        what: the name of the figure, for the sentences.
        left: lanes that were removed or have not caught up yet, which are not compared.
    """
    table = np.asarray(values, np.float64)
    worse = table if is_lower_better else -table
    racing = [lane for lane in range(len(lane_names)) if lane not in left]
    n_first, n_shared = _first_places(worse[racing])
    standings: list[Standing | None] = [None] * len(lane_names)
    for place, lane in enumerate(racing):
        n_diverged = int(np.isnan(table[lane]).sum())
        standings[lane] = Standing(
            lane_names[lane], mean_estimate(table[lane], CONFIDENCE), n_diverged, n_first[place], n_shared[place]
        )
    finite = [lane for lane in racing if not np.isnan(table[lane]).all()]
    if not finite:
        return Verdict(tuple(standings), None, (), no_winner(lane_names, left, bool(racing)))
    best = min(finite, key=lambda lane: (np.isnan(table[lane]).sum(), np.nanmean(worse[lane])))
    comparisons = _comparisons(worse, finite, best)
    told = Told(lane_names, tuple(standings), best, comparisons, table.shape[1], what, tuple(left))
    return Verdict(tuple(standings), best, comparisons, sentences(told))


def _first_places(worse: Floats) -> tuple[list[int], list[int]]:
    """Per lane the seeds in which it is best alone, and those in which it shares the first place."""
    filled = np.where(np.isnan(worse), math.inf, worse)
    is_best = (filled == filled.min(0, initial=math.inf)) & np.isfinite(filled)  # (lanes, repeats)
    is_alone = is_best.sum(0) == 1
    return (is_best & is_alone).sum(1).tolist(), (is_best & ~is_alone).sum(1).tolist()


def _comparisons(worse: Floats, lanes: Sequence[int], best: int) -> tuple[Comparison, ...]:
    """The best lane with each other; corrected for all pairs, since any could have been the best."""
    pairs: dict[tuple[int, int], Paired] = {}
    for one, other in itertools.combinations(lanes, 2):
        better, rest = (other, one) if other == best else (one, other)
        pairs[better, rest] = paired_comparison(worse[rest], worse[better], CONFIDENCE)
    corrected = dict(zip(pairs, holm([pair.p for pair in pairs.values()]), strict=True))
    return tuple(
        Comparison(lane, pairs[best, lane].difference, pairs[best, lane].p, corrected[best, lane], pairs[best, lane].spread)
        for lane in lanes
        if lane != best
    )
