"""A run's line in the table: what the fold says equals what History says of the same events."""

import math
from itertools import pairwise

import numpy as np
import pytest

from core.events import Artifact, EpochDone, Finished, LaneRemoved, Started, StepsDone
from core.experiment.race_figures import race_standing
from core.history import History
from core.run_curve import FIGURES, packed_curve, unpacked_curve
from core.run_fold import MOST_EPOCHS, NAMES, RunFold
from core.thin_losses import MOST
from core.training.loop import train
from tests.core.samples import spiral
from tests.dashboard.fake_race import Race

RAGGED = (1, 7, 3, 20, 1, 64, 11, 2)


def folded(events) -> tuple[RunFold, History]:
    fold, history = RunFold(), History()
    for event in events:
        if type(event).__name__ in NAMES:
            fold.append(event)
        history.append(event)
    return fold, history


def race_events(total: int = 900) -> list:
    race = Race(total)
    ends = np.cumsum(np.resize(RAGGED, 400))
    cuts = [0, *(int(end) for end in ends if end < total), total]
    return [*race.start(), *(event for first, last in pairwise(cuts) for event in race.between(first, last)), race.end()]


def trained(experiment) -> list:
    return [event for event in train(experiment) if not isinstance(event, Artifact)]


def started(n_lanes: int = 1, repeats: int = 1, per_epoch: int = 10) -> Started:
    lanes = tuple("abcdef"[:n_lanes])
    series = tuple(f"{lane}{k}" for lane in lanes for k in range(repeats))
    return Started(0, 33, 95, 5, 5, per_epoch, None, "cpu", series, {}, lanes, repeats)


def row(epoch: int, *losses: float, step: int | None = None) -> EpochDone:
    scores = tuple(1 - loss / 10 for loss in losses)
    return EpochDone(epoch, step or 10 * epoch, losses, scores, losses, scores, epoch / 2)


@pytest.mark.parametrize(
    "events",
    [
        race_events(),
        trained(spiral(steps=47)),
        trained(spiral(steps=40, repeats=3, lanes=spiral("sgd").lanes + spiral().lanes)),
    ],
    ids=["race with lanes that join and leave", "one lane", "two lanes, three seeds"],
)
def test_every_figure_is_that_of_the_history(events):
    fold, history = folded(events)
    figures, lane = fold.figures(), fold.best_lane()
    best = race_standing(history, "validation_loss", "best").mean(1)
    assert lane == int(np.nanargmin(best))
    for name in ("validation_loss", "validation_accuracy", "train_loss"):
        assert figures[name] == pytest.approx(race_standing(history, name, "last")[lane].mean(), rel=1e-12)
    for name in ("validation_loss", "validation_accuracy"):
        assert figures[f"best_{name}"] == pytest.approx(race_standing(history, name, "best")[lane].mean(), rel=1e-12)
    assert (figures["steps"], figures["seconds"]) == (history.step, history.elapsed_s)
    assert figures["epochs"] == history.epochs[-1].epoch
    assert figures["n_parameters"] == history.started.n_parameters
    series = list(history.series_of(lane))
    if history.end.test_loss:
        assert figures["test_loss"] == pytest.approx(np.mean([history.end.test_loss[k] for k in series]))


@pytest.mark.parametrize("events", [race_events(), trained(spiral(steps=47, repeats=2))], ids=["race", "two seeds"])
def test_the_curve_is_that_of_the_history_and_survives_packing(events):
    fold, history = folded(events)
    curve = unpacked_curve(packed_curve(fold.curve()))
    series = list(history.series_of(fold.best_lane()))
    assert curve.stride == 1
    np.testing.assert_array_equal(curve.steps, np.arange(1, history.step + 1))
    np.testing.assert_allclose(curve.losses, np.mean([history.losses[k] for k in series], axis=0), rtol=1e-6)
    assert list(curve.epoch_steps) == [one.step for one in history.epochs]
    for name in FIGURES:
        wanted = [np.mean([getattr(one, name)[k] for k in series]) for one in history.epochs]
        np.testing.assert_allclose(curve.y(name), wanted, rtol=1e-6)
    told = {event.first_step + len(event.losses[0]) - 1: event.elapsed_s for event in events if isinstance(event, StepsDone)}
    seconds = dict(zip(curve.steps, curve.seconds, strict=True))
    assert all(seconds[step] == pytest.approx(at, rel=1e-6) for step, at in told.items())
    per_epoch, n_train = history.started.steps_per_epoch, history.started.n_train
    np.testing.assert_allclose(curve.x("examples", by_epoch=True), curve.epoch_steps * n_train / per_epoch)
    np.testing.assert_allclose(curve.x("epoch", by_epoch=False)[-1], history.step / per_epoch)


def test_a_long_run_is_thinned_to_means_of_steps_in_a_row():
    rng = np.random.default_rng(0)
    losses = rng.random(3 * MOST + 17).astype(np.float32).astype(float)
    fold, at = RunFold(started=None), 0
    fold.append(started())
    while at < len(losses):
        part = losses[at : at + int(rng.integers(1, 300))]
        fold.append(StepsDone(at + 1, 0, (tuple(part),), (0.1,), at + len(part)))
        at += len(part)
    curve = fold.curve()
    assert curve.stride == 4
    wanted = [losses[k : k + 4].mean() for k in range(0, len(losses), 4)]
    np.testing.assert_allclose(curve.losses, wanted, rtol=1e-12)
    assert (curve.steps[0], curve.steps[-1]) == (4, len(losses))
    np.testing.assert_allclose(curve.seconds, curve.steps)
    assert fold.figures()["steps"] == len(losses)


def test_of_many_epochs_every_second_stays_and_the_newest_always():
    n = 2 * MOST_EPOCHS + 7
    fold, _ = folded([started(), *(row(epoch, 1 / epoch) for epoch in range(1, n + 1))])
    epochs = fold.curve().epochs
    assert len(epochs) <= MOST_EPOCHS + 1
    assert epochs[-1] == n
    assert set(np.diff(epochs[:-1])) == {4.0}
    assert fold.figures()["best_validation_loss"] == pytest.approx(1 / n)


def test_a_seed_that_diverged_does_not_count_unless_all_did():
    nan = math.nan
    two = [started(1, 2), StepsDone(1, 0, ((1.0,), (3.0,)), (0.1,), 1.0), row(1, 1.0, 3.0)]
    fold, _ = folded([*two, StepsDone(2, 1, ((0.5,), (nan,)), (0.1,), 2.0), row(2, 0.5, nan)])
    assert fold.figures()["validation_loss"] == 0.5
    assert fold.figures()["best_validation_loss"] == 0.5
    fold, _ = folded([*two, StepsDone(2, 1, ((nan,), (nan,)), (0.1,), 2.0), row(2, nan, nan)])
    assert "validation_loss" not in fold.figures()
    assert fold.figures()["best_validation_loss"] == 2.0


def test_a_lane_that_left_or_diverged_is_not_the_best_one():
    race = [started(3), StepsDone(1, 0, ((1.0,), (1.0,), (1.0,)), (0.1,), 1.0), row(1, 0.1, 0.2, 0.3)]
    assert folded(race)[0].best_lane() == 0
    assert folded([*race, LaneRemoved(10, 0)])[0].best_lane() == 1
    lost = StepsDone(2, 1, ((1.0,), (math.inf,), (1.0,)), (0.1,), 2.0)
    assert folded([*race, LaneRemoved(10, 0), lost])[0].best_lane() == 2


def test_nothing_is_said_of_what_is_not_known():
    assert folded([])[0].figures() == {}
    assert folded([started()])[0].figures() == {"n_parameters": 33.0}
    assert folded([Finished("stopped", 0, 1.0)])[0].figures() == {"seconds": 1.0}
    assert folded([Finished("stopped", 0, 0.0)])[0].figures() == {}
    empty = unpacked_curve(packed_curve(folded([])[0].curve()))
    assert (len(empty.losses), len(empty.epochs)) == (0, 0)
