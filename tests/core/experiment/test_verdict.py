"""Verdicts on constructed races: what they say, and how often they are wrong."""

import math

import numpy as np
import pytest
from scipy import stats

from core.experiment.verdict import Verdict, verdict

NAMES = ("Adam", "RMSprop", "SGD")
NAN = math.nan
CLEAR = np.array(
    [
        [0.10, 0.12, 0.11, 0.09, 0.10, 0.12, 0.11, 0.10],
        [0.30, 0.33, 0.31, 0.28, 0.31, 0.32, 0.30, 0.31],
        [0.50, 0.51, 0.53, 0.47, 0.50, 0.53, 0.50, 0.51],
    ]
)
CLOSE = np.array(
    [
        [0.10, 0.14, 0.11, 0.09, 0.13, 0.12, 0.11, 0.10],
        [0.12, 0.12, 0.13, 0.10, 0.11, 0.10, 0.13, 0.11],
        [0.50, 0.51, 0.53, 0.47, 0.50, 0.53, 0.50, 0.51],
    ]
)


def said(found: Verdict) -> list[str]:
    return [str(sentence) for sentence in found.sentences]


def test_a_clear_winner_is_named_with_its_lead_over_each_other_lane():
    found = verdict(NAMES, CLEAR)
    assert found.best == 0
    assert all(comparison.is_clear for comparison in found.comparisons)
    first, mean, better, method = said(found)
    assert first == "Adam is first in 8 of 8 seeds."
    assert mean == "Its mean validation loss is 0.106 (95 % interval 0.0974 to 0.115)."
    assert better.startswith("It is better than RMSprop (0.201 ± 0.00")
    assert "SGD (0.4 ± 0.0" in better
    assert "p < 0.001" in better
    assert "corrected for 3 comparisons" in method


def test_a_rival_within_the_noise_is_not_beaten_and_the_seeds_that_would_tell_are_named():
    found = verdict(NAMES, CLOSE)
    texts = said(found)
    assert texts[0] == "Adam is first in 5 of 8 seeds."
    assert any(text.startswith("It is better than SGD (") for text in texts)
    difference = stats.ttest_rel(CLOSE[1], CLOSE[0])
    half = np.ptp(difference.confidence_interval()) / 2
    lead = (CLOSE[1] - CLOSE[0]).mean()
    expected = f"Its difference to RMSprop ({lead:.3g} ± {half:.3g}, p = {difference.pvalue:.2g}) is within the noise."
    assert expected in texts
    assert "Even 16 seeds would hardly tell it from RMSprop: take the two as equal here." in texts


def test_a_difference_that_more_seeds_would_show_says_how_many():
    values = np.array([[0.10, 0.12, 0.11], [0.13, 0.12, 0.14]])
    (advice,) = [text for text in said(verdict(("A", "B"), values)) if "would show it" in text]
    assert advice == "If it is truly ahead of B by so much, about 9 seeds would show it."


def test_a_lead_that_would_count_alone_is_not_sure_among_many_comparisons():
    behind = [np.zeros(8), np.array([0.05, 0.0, 0.03, 0.01, 0.05, 0.0, 0.02, 0.04])]
    behind += [np.tile(pair, 4) for pair in ([0.4, 0.5], [0.5, 0.4], [0.41, 0.49], [0.5, 0.39])]
    more = CLOSE[0] + np.array(behind)
    values = more[:2]
    two, six = (verdict("ABCDEF"[: len(race)], race) for race in (values, more))
    assert two.comparisons[0].is_clear
    assert six.comparisons[0].p_corrected > 0.05
    assert six.comparisons[0].p == two.comparisons[0].p < 0.05
    (text,) = [text for text in said(six) if text.startswith("Its lead over B (0.025 ±")]
    assert text.endswith(") would count by itself, but is not sure among 15 comparisons.")


def test_one_seed_proves_nothing_and_it_is_said_how_many_to_use():
    found = verdict(NAMES, CLEAR[:, :1])
    assert said(found) == [
        "Adam has the best validation loss (0.1) with this one seed.",
        "One seed proves nothing: another start may turn the order. Race with at least 5 seeds.",
    ]
    assert not any(comparison.is_clear for comparison in found.comparisons)


def test_shared_first_places_are_counted_apart():
    accuracies = np.array([[0.9, 0.95, 0.9, 0.8], [0.9, 0.90, 0.9, 0.9], [0.8, 0.95, 0.7, 0.7]])
    found = verdict(NAMES, accuracies, is_lower_better=False, what="validation accuracy")
    assert found.best == 1
    assert [(lane.n_first, lane.n_shared) for lane in found.lanes if lane] == [(0, 3), (1, 2), (0, 1)]
    assert said(found)[0] == "RMSprop is first in 1 of 4 seeds, and shares the first place in 2 more."


def test_higher_is_better_for_accuracies():
    found = verdict(NAMES, CLEAR, is_lower_better=False, what="validation accuracy")
    assert found.best == 2
    assert found.comparisons[0].better_by.mean == pytest.approx((CLEAR[2] - CLEAR[0]).mean())
    assert "Its mean validation accuracy is 0.506 (95 % interval 0.49 to 0.522)." in said(found)


def test_diverged_seeds_are_counted_and_put_a_lane_behind_those_that_came_through():
    values = CLEAR.copy()
    values[0, 2:4] = NAN
    found = verdict(NAMES, values)
    assert found.best == 1
    assert found.lanes[0].n_diverged == 2
    assert found.lanes[0].mean.n == 6
    texts = said(found)
    assert texts[0] == "RMSprop is first in 2 of 8 seeds."
    assert "Adam diverged in 2 of 8 seeds; its mean is that of the others." in texts
    lead = next(one for one in found.comparisons if one.lane == 0).better_by
    assert lead.mean < 0  # over the seeds that both came through
    assert lead.n == 6


def test_a_lane_that_always_diverged_is_not_compared():
    values = CLEAR.copy()
    values[2] = NAN
    found = verdict(NAMES, values)
    assert [one.lane for one in found.comparisons] == [1]
    assert "SGD diverged in every seed." in said(found)
    assert "corrected for 1 comparison (Holm)" in said(found)[-1]


def test_where_everything_diverged_nobody_wins():
    found = verdict(NAMES, np.full((3, 4), NAN))
    assert found.best is None
    assert said(found) == ["Every seed of every lane diverged: nobody wins."]


def test_two_lanes_without_a_seed_in_common_are_not_compared():
    values = np.array([[0.1, NAN, NAN, 0.1], [NAN, 0.2, 0.2, NAN]])
    assert "With B it has fewer than two seeds in common." in said(verdict(("A", "B"), values))


def test_lanes_that_left_are_not_compared_and_it_is_said():
    found = verdict(NAMES, CLEAR, left=(0,))
    assert found.best == 1
    assert found.lanes[0] is None
    assert found.lanes[1].n_first == 8
    assert "Not compared, since not in the race to its end: Adam." in said(found)
    assert said(verdict(NAMES, CLEAR, left=(0, 1, 2)))[0] == "No lane is left in the race."


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (8, "Adam reaches a mean validation loss of 0.106 over 8 seeds."),
        (1, "Adam reaches a validation loss of 0.1 with one seed; 5 or more tell how far to trust it."),
    ],
)
def test_a_lane_alone_beats_nobody(n, text):
    found = verdict(NAMES[:1], CLEAR[:1, :n])
    assert found.comparisons == ()
    assert said(found)[0] == text


def test_exact_ties_in_every_seed_are_noise():
    found = verdict(("A", "B"), np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.7]]))
    assert said(found)[0] == "A shares the first place in 3 of 3 seeds."
    assert "Its difference to B (0 ± 0, p = 1) is within the noise." in said(found)


def test_every_template_can_be_filled_and_no_gap_is_left():
    for values in (CLEAR, CLOSE, CLEAR[:, :1]):
        for sentence in verdict(NAMES, values).sentences:
            assert "{" not in str(sentence)
            assert sentence.template.endswith(".")


def test_a_verdict_calls_luck_a_win_in_at_most_five_races_of_a_hundred():
    """Equal lanes: naming the best after looking must not make up for it. 400 races; three standard errors of room."""
    rng = np.random.default_rng(0)
    n_wrong = sum(any(one.is_clear for one in verdict("ABCD", rng.normal(size=(4, 6))).comparisons) for _ in range(400))
    assert n_wrong / 400 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert n_wrong > 0  # the test is not asleep
