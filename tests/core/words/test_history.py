"""The fold of events into curves."""

import math

import numpy as np
import pytest

from core.events import (
    Diagnosed,
    EpochDone,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneEpochDone,
    LaneRemoved,
    LaneStepsDone,
    OptimizerSwapped,
    Paused,
    PhaseDone,
    Planned,
    Resumed,
    Started,
    StepMeasured,
    StepsDone,
)
from core.history import MAX_FINDINGS, History, PastFilled
from core.step_table import StepTable

STARTED = Started(0, 10, 5, 5, 5, 5, 100, "CPU", ("a", "b"), {})
NAN = math.nan


def race(step: int = 0, n_lanes: int = 2, repeats: int = 2) -> Started:
    lanes = tuple("abcd"[:n_lanes])
    series = tuple(f"{lane}{repeat}" for lane in lanes for repeat in range(repeats))
    return Started(step, 10, 5, 5, 5, 2, 100, "CPU", series, {}, lanes, repeats)


def steps(first: int, *losses: float, n: int = 4, rate: float = 0.1, elapsed_s: float | None = None) -> StepsDone:
    """The same losses for each of `n` series, plus its number."""
    rows = tuple(tuple(loss + k for loss in losses) for k in range(n))
    return StepsDone(first, 1, rows, (rate,) * n, elapsed_s if elapsed_s is not None else (first + len(losses)) / 10)


def epoch(number: int, *validation: float) -> EpochDone:
    same = validation or (1.0, 2.0, 3.0, 4.0)
    return EpochDone(number, 2 * number, same, same, same, same, number / 10)


def joined(lane: int = 2, source: int = -1, step: int = 4) -> LaneAdded:
    return LaneAdded(step, lane, source, "{}", "c", ("c0", "c1"))


def folded(*events, first=STARTED):
    history = History()
    for event in (first, *events):
        history.append(event)
    return history


def test_curves_grow_per_series():
    history = folded(
        StepsDone(1, 1, ((1.0, 2.0), (3.0, 4.0)), (0.1, 0.1), 0.5), StepsDone(3, 1, ((5.0,), (6.0,)), (0.1, 0.1), 1.0)
    )
    assert [list(losses) for losses in history.losses] == [[1, 2, 5], [3, 4, 6]]
    assert history.step == 3


def test_steps_told_again_after_a_rewind_replace_the_old_ones():
    first = StepsDone(1, 1, ((1.0, 2.0, 3.0), (1.0, 2.0, 3.0)), (0.1, 0.1), 0.5)
    seen = (StepMeasured(3, (1.0, 1.0), (1.0, 1.0), (1.0, 1.0)), EpochDone(1, 3, *[(1.0, 1.0)] * 4, 0.5))
    history = folded(first, *seen, STARTED, StepsDone(2, 1, ((9.0,), (9.0,)), (0.1, 0.1), 0.6))
    assert [list(losses) for losses in history.losses] == [[1, 9], [1, 9]]
    assert (len(history.measured), history.epochs, history.reports.steps.tolist()) == (0, [], [2])
    assert len(history.report_s) == 1


def test_speed_is_steps_over_training_time():
    history = folded(*(StepsDone(1 + 10 * i, 1, ((0.0,) * 10,) * 2, (0.1, 0.1), 0.1 * (i + 1)) for i in range(50)))
    assert history.steps_per_s == pytest.approx(100, rel=1e-6)


def test_the_present_state_follows_pause_resume_changes_and_the_end():
    history = folded(Paused(3))
    assert history.is_paused
    history.append(Resumed(3))
    assert not history.is_paused
    history.append(HyperChanged(3, 0, "lr", 0.1, 0.2))
    assert history.changes[0].new == 0.2
    history.append(Finished("completed", 9, 1.0))
    assert history.end.step == 9


def test_a_race_knows_its_lanes_and_their_series():
    history = folded(first=race())
    assert (history.lanes, history.repeats) == (["a", "b"], 2)
    assert [history.lane_of(k) for k in range(4)] == [0, 0, 1, 1]
    assert list(history.series_of(1)) == [2, 3]


def test_a_run_from_before_the_races_has_one_lane_per_series():
    assert folded().lanes == ["a", "b"]


def test_a_lane_from_the_initial_weights_has_no_past_until_it_is_told():
    before = (steps(1, 1.0, 2.0, 3.0, 4.0), epoch(1), epoch(2), StepMeasured(4, *[(1.0,) * 4] * 4))
    history = folded(*before, joined(), first=race())
    assert history.lanes == ["a", "b", "c"]
    assert history.series[4:] == ["c0", "c1"]
    assert np.isnan(history.losses[4]).all()
    assert len(history.losses[5]) == 4
    assert np.isnan(history.measured["gradient_norm"][:, 4:]).all()
    assert np.isnan(history.epochs[0].validation_loss[4:]).all()

    history.append(LaneStepsDone(2, 1, ((7.0, 6.0, 5.0), (8.0, 7.0, 6.0))))
    history.append(LaneEpochDone(2, 1, 2, *[(0.5, 0.6)] * 4))
    history.append(LaneStepsDone(2, 4, ((4.0,), (5.0,))))
    assert [list(losses) for losses in history.losses[4:]] == [[7, 6, 5, 4], [8, 7, 6, 5]]
    assert history.epochs[0].validation_loss == (1.0, 2.0, 3.0, 4.0, 0.5, 0.6)
    assert history.epochs[0].train_accuracy[4:] == (0.5, 0.6)
    assert np.isnan(history.epochs[1].validation_loss[4:]).all()
    assert history.filled == [PastFilled(2, 1, 3), PastFilled(2, 2, 2), PastFilled(2, 4, 4)]

    history.append(steps(5, 0.0, n=6))
    history.append(epoch(3, *range(6)))
    assert {len(losses) for losses in history.losses} == {5}
    assert {len(row.validation_loss) for row in history.epochs} == {6}


def test_a_fork_has_the_past_of_its_source():
    before = (steps(1, 1.0, 2.0, 3.0, 4.0), epoch(1), StepMeasured(4, *[(1.0, 2.0, 3.0, 4.0)] * 4))
    history = folded(*before, joined(source=1), first=race())
    assert list(history.losses[4]) == list(history.losses[2])
    assert list(history.losses[5]) == list(history.losses[3])
    assert history.epochs[0].validation_loss == (1.0, 2.0, 3.0, 4.0, 3.0, 4.0)
    assert history.measured["weight_norm"].tolist() == [[1, 2, 3, 4, 3, 4]]
    assert history.learning_rates == (0.1,) * 6
    history.losses[4][0] = 99.0
    assert history.losses[2][0] == 3.0


@pytest.mark.parametrize("n_lanes", [2, 3])
def test_a_resumed_run_keeps_the_lanes_that_joined(n_lanes: int):
    """Whether its `Started` names them or not."""
    history = folded(steps(1, 1.0, 2.0, 3.0, 4.0), joined(), race(4, n_lanes=n_lanes), first=race())
    history.append(steps(5, 0.0, n=6))
    assert history.lanes == ["a", "b", "c"]
    assert history.series == ["a0", "a1", "b0", "b1", "c0", "c1"]
    assert [len(losses) for losses in history.losses] == [5] * 6


def test_changes_of_every_kind_are_kept_in_order():
    changes = [HyperChanged(1, 0, "lr", 0.1, 0.2), OptimizerSwapped(2, 1, "{}", "{}"), joined(step=3), LaneRemoved(4, 0)]
    history = folded(steps(1, 1.0, 2.0, 3.0), *changes, first=race())
    assert history.changes == changes
    assert history.removed == {0: 4}


def test_the_best_epoch_is_the_first_with_the_lowest_validation_loss():
    rows = (epoch(1, 3.0, NAN, 5.0, NAN), epoch(2, 1.0, 2.0, NAN, NAN), epoch(3, 1.0, 1.5, 6.0, NAN))
    history = folded(*rows, first=race())
    assert [row and row.epoch for row in history.best_epochs()] == [2, 3, 1, None]


def test_only_the_phases_of_the_last_step_by_hand_are_kept():
    history = folded(*(PhaseDone(step, phase, "", ()) for step in (1, 2) for phase in ("forward", "loss")))
    assert [(one.step, one.phase) for one in history.phases] == [(2, "forward"), (2, "loss")]


def test_the_newest_plan_and_the_last_findings_are_there():
    findings = [Diagnosed(step, 0, "plateau", "info", "", "") for step in range(MAX_FINDINGS + 5)]
    history = folded(Planned(0, ("fast",) * 2, "one"), Planned(3, ("batched",) * 2, "two"), *findings)
    assert history.plan.reason == "two"
    assert len(history.findings) == MAX_FINDINGS
    assert history.findings[-1].step == MAX_FINDINGS + 4


def test_many_reports_become_few_rows_and_a_change_by_hand_keeps_its_step():
    reports = [steps(i, 0.0, rate=1 / i, elapsed_s=i / 25) for i in range(1, 25 * 600)]
    history = folded(*reports[:-1], HyperChanged(len(reports) - 1, 0, "lr", 1.0, 2.0), first=race())
    assert 500 < len(history.reports) < 2500
    assert history.reports.steps[-1] == len(reports) - 1
    assert len(history.report_s) == len(history.reports)
    at = len(history.reports) // 2
    assert history.reports["learning_rate"][at] == pytest.approx(1 / history.reports.steps[at], rel=1e-6)
    assert history.report_s[at] == pytest.approx(history.reports.steps[at] / 25)


def test_a_rate_that_was_set_by_hand_is_known_from_its_first_step_on():
    history = folded(steps(1, *[0.0] * 30), HyperChanged(30, 0, "lr", 0.1, 0.3), steps(31, *[0.0] * 20, rate=0.3), first=race())
    assert history.reports.steps.tolist() == [30, 31, 50]
    assert history.reports["learning_rate"][:, 0].tolist() == pytest.approx([0.1, 0.3, 0.3])
    assert list(history.report_s) == pytest.approx([3.1, 3.1, 5.1])


def test_a_lane_that_was_removed_has_no_rate_any_more():
    history = folded(steps(1, 0.0), LaneRemoved(1, 0), steps(2, *[0.0] * 9), first=race())
    assert history.reports["learning_rate"][0].tolist() == pytest.approx([0.1] * 4)
    assert np.isnan(history.reports["learning_rate"][1:, :2]).all()
    assert history.reports["learning_rate"][-1, 2:].tolist() == pytest.approx([0.1] * 2)


def test_a_lane_may_join_before_the_first_step():
    history = folded(joined(step=0), steps(1, 1.0, n=6), first=race())
    assert history.learning_rates == (0.1,) * 6
    assert [len(losses) for losses in history.losses] == [1] * 6


def test_a_table_grows_widens_and_is_cut():
    table = StepTable("a", "b")
    for step in range(1, 201):
        table.append(step, {"a": (step, 2 * step), "b": ()})
    table.widen(3, range(1, 2))
    table.widen(4)
    assert table["a"][99].tolist()[:3] == [100, 200, 200]
    assert np.isnan(table["a"][:, 3]).all()
    assert np.isnan(table["b"]).all()
    table.cut(150)
    assert (len(table), table.after(149), table.after(150)) == (150, 149, 150)
    with pytest.raises(ValueError, match="does not come after"):
        table.append(150, {"a": (), "b": ()})
