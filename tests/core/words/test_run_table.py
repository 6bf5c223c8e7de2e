"""What one asks of a table of runs."""

import numpy as np
import pytest

from core.run_curve import smoothed, thinned
from core.run_row import RunRow
from core.run_table import RunFilter, best_of, complete, differing, facts_of, figures_of, groups, is_number, title, value_of


def row(name: str, lr: float | None = None, loss: float | None = None, **changes) -> RunRow:
    facts = {"data": "Spiral", **({} if lr is None else {"lr": lr})}
    figures = {} if loss is None else {"validation_loss": loss}
    return RunRow(name * 32, "train", name, "finished", 1.0, facts=facts, figures=figures, **changes)


A = row("a", 0.1, 0.5, tags=("good", "first"), note="It converged.")
B = row("b", 0.01, 0.25, tags=("good",))
C = row("c", 0.01)
D = RunRow("d" * 32, "compress", "", "failed", 2.0, facts={"lr": 0.01, "batch_size": "full"}, figures={"validation_loss": 0.25})
ROWS = (A, B, C, D)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(), "abcd"),
        (RunFilter(text="LR=0.01"), "bcd"),
        (RunFilter(text="lr=0.01 spiral"), "bc"),
        (RunFilter(text="converged"), "a"),
        (RunFilter(text="no such word"), ""),
        (RunFilter(states=("failed",)), "d"),
        (RunFilter(kinds=("train",), tags=("good",)), "ab"),
        (RunFilter(data=("Spiral",)), "abc"),
        (RunFilter(tags=("first", "none")), "a"),
        (RunFilter(text="(", states=("finished",)), ""),
    ],
)
def test_a_filter_lets_through_what_has_every_word_and_one_of_each_list(wanted, found):
    assert "".join(one.id[0] for one in ROWS if wanted(one)) == found


def test_the_best_run_is_the_newest_of_equals_and_nobody_where_none_has_the_figure():
    assert best_of(ROWS, "validation_loss", is_highest=False) is B
    assert best_of(ROWS, "validation_loss", is_highest=True) is A
    assert best_of(ROWS, "lr", is_highest=True) is A
    assert best_of((C,), "validation_loss", is_highest=False) is None


def test_groups_say_how_many_how_good_and_the_best_comes_first():
    found = groups(ROWS, "lr", "validation_loss", is_highest=False)
    assert [(one.value, len(one.runs), one.n_known, one.best, one.mean) for one in found] == [
        ("0.01", 3, 2, 0.25, 0.25),
        ("0.1", 1, 1, 0.5, 0.5),
    ]
    assert [one.value for one in groups(ROWS, "lr", "validation_loss", is_highest=True)] == ["0.1", "0.01"]
    by_tag = {one.value: len(one.runs) for one in groups(ROWS, "tags", "validation_loss", is_highest=False)}
    assert by_tag == {"good": 2, "first": 1, "": 2}
    assert groups((C,), "lr", "validation_loss", is_highest=False)[0].best is None


def test_fields_come_in_the_order_of_a_form_whichever_run_has_them():
    assert facts_of(ROWS) == ("data", "lr", "batch_size")
    assert figures_of(ROWS) == ("validation_loss",)
    assert facts_of(()) == ()
    assert (is_number(ROWS, "lr"), is_number(ROWS, "data"), is_number((C,), "validation_loss")) == (True, False, False)
    assert differing(ROWS, ("lr", "data", "kind")) == ("lr", "data", "kind")
    assert differing((B, C), ("lr", "data", "kind")) == ()
    assert complete(ROWS, ("validation_loss", "data")) == (A, B)


def test_a_value_is_found_wherever_it_stands():
    assert value_of(A, "tags") == "good, first"
    assert value_of(C, "tags") is value_of(C, "validation_loss") is value_of(C, "nothing") is None
    assert (value_of(D, "name"), value_of(D, "state"), title(D)) == ("run dddddd", "failed", "run dddddd")


@pytest.mark.parametrize("window", [1, 2, 5, 40])
def test_smoothing_is_the_mean_of_what_is_around_and_known(window):
    rng = np.random.default_rng(0)
    y = rng.random(30)
    y[[4, 5, 20]] = [np.nan, np.inf, np.nan]
    wanted = []
    for k in range(30):
        around = y[max(0, k - (window - 1) // 2) : k + window // 2 + 1]
        around = around[np.isfinite(around)]
        wanted.append(around.mean() if np.isfinite(y[k]) else np.nan)
    found = smoothed(y, window)
    if window == 1:
        assert found is y
    else:
        np.testing.assert_allclose(found, wanted)
    assert len(smoothed(y[:0], window)) == 0


@pytest.mark.parametrize("is_log", [False, True])
def test_thinning_keeps_both_ends_and_at_most_as_many_as_asked_for(is_log):
    places = thinned(1000, 40, is_log=is_log)
    assert (places[0], places[-1]) == (0, 999)
    assert len(places) <= 40
    assert (np.diff(places) > 0).all()
    assert (np.diff(places)[0] < np.diff(places)[-1]) == is_log
    assert list(thinned(3, 40, is_log=is_log)) == [0, 1, 2]
