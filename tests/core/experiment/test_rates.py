"""Grids of learning rates, rows of a sweep, and lanes that take the best of them."""

import json

import numpy as np
import pytest

from core.errors import SpecError
from core.experiment.experiment import Lane
from core.experiment.rates import Grid, best_lanes, default_lanes, described, lane_for_range_test, rows, tuned, with_rate
from core.optim.optimizers import SGD, Adam, AnyOptimizer
from core.optim.regularizers import L1
from core.optim.schedules import Cosine
from core.results.codec import load_result, result_bytes
from core.results.sweep import Sweep
from core.spec import choices
from tests.core.samples import optimizer_like, spiral

NAN = float("nan")
SEVERAL = (
    Lane(optimizer=SGD(lr=0.5), name="fast"),
    Lane(optimizer=SGD(momentum=0.9)),
    Lane(optimizer=Adam(), schedule=Cosine(), regularizers=(L1(),)),
)


def found(losses, lanes=SEVERAL, rates=(0.001, 0.01, 0.1)):
    values = np.array(losses, float)[:, :, None] if np.ndim(losses) == 2 else np.array(losses, float)
    return Sweep(
        names=tuple(name for name, _ in rows(lanes)),
        lanes=tuple(lane.model_dump_json() for _, lane in rows(lanes)),
        rates=np.array(rates),
        losses=values,
        scores=1 - values,
        steps=10,
        loss_unit="nats",
        is_accuracy=True,
    )


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        (Grid(), [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1]),
        (Grid(lowest=-2, per_decade=2), [0.01, 0.03, 0.1, 0.3, 1]),
        (Grid(lowest=-1, highest=1, per_decade=3), [0.1, 0.2, 0.5, 1, 2, 5, 10]),
    ],
)
def test_a_grid_has_round_rates_that_rise(grid, expected):
    assert list(grid.rates()) == expected


def test_every_grid_stays_within_what_every_optimizer_takes():
    widest = Grid(lowest=-7, highest=1, per_decade=3)
    for cls in choices(AnyOptimizer):
        for rate in (widest.rates()[0], widest.rates()[-1]):
            assert with_rate(Lane(optimizer=cls()), rate).optimizer.lr == rate


def test_a_grid_must_rise():
    with pytest.raises(SpecError, match="above the lowest"):
        Grid().but(lowest=-1, highest=-1)


def test_lanes_that_differ_in_rate_and_name_alone_are_one_row():
    ladder = tuple(Lane(optimizer=Adam(lr=rate), name=f"Adam {rate}") for rate in (0.1, 0.01))
    assert [name for name, _ in rows((*SEVERAL, *ladder))] == [
        "fast",
        "SGD, momentum 0.9",
        "Adam, Cosine, L1 penalty",
        "Adam",
    ]


def test_flags_and_whole_numbers_are_said_too():
    assert described(Lane(optimizer=SGD(momentum=0.5, nesterov=True))) == "SGD, momentum 0.5, nesterov on"


def test_default_lanes_have_the_usual_numbers():
    lanes = default_lanes(["adam", "sgd"])
    assert [lane.optimizer for lane in lanes] == [Adam(), SGD()]
    with pytest.raises(SpecError, match="adam"):
        default_lanes(["adan"])


def test_the_best_rate_has_the_lowest_mean_loss_and_no_seed_that_diverged():
    sweep = found([[[1.0, 1.0], [0.1, NAN], [0.5, 0.7]]], lanes=SEVERAL[:1])
    assert sweep.best(0) == 2
    assert sweep.is_at_edge(0)
    assert sweep.mean_losses()[0].tolist()[2] == pytest.approx(0.6)
    assert np.isnan(sweep.mean_losses()[0, 1])
    assert sweep.spreads()[0, 2] == pytest.approx(np.std([0.5, 0.7], ddof=1))
    assert sweep.mean_scores()[0, 2] == pytest.approx(0.4)


def test_one_seed_has_no_spread():
    assert np.isnan(found([[1, 2, 3]], SEVERAL[:1]).spreads()).all()


def test_every_lane_gets_the_best_rate_of_its_own_row():
    sweep = found([[3, 1, 2], [1, 2, 3], [NAN, NAN, 0.5]])
    experiment = spiral().but(lanes=SEVERAL)
    assert [lane.optimizer.lr for lane in tuned(experiment, sweep).lanes] == [0.01, 0.001, 0.1]
    assert [lane.n_tries for lane in tuned(experiment, sweep).lanes] == [3, 3, 3]
    kept = [lane.but(tried=(), optimizer=lane.optimizer.but(lr=1.0)) for lane in tuned(experiment, sweep).lanes]
    assert kept == [with_rate(lane, 1.0) for lane in SEVERAL]


def test_a_lane_that_is_no_row_gets_the_rate_of_its_kind_and_strangers_stay():
    sweep = found([[3, 1, 2]], lanes=default_lanes(["adam"]))
    assert [lane.optimizer.lr for lane in tuned(spiral().but(lanes=SEVERAL), sweep).lanes] == [0.5, 0.1, 0.01]


def test_where_everything_diverged_nothing_is_changed():
    sweep = found([[NAN, NAN, NAN]], lanes=SEVERAL[:1])
    assert sweep.best(0) is None
    assert not sweep.is_at_edge(0)
    assert tuned(spiral().but(lanes=SEVERAL[:1]), sweep).lanes == SEVERAL[:1]


def test_the_rows_become_lanes_with_their_best_rates():
    best = best_lanes(found([[3, 1, 2], [NAN, NAN, NAN], [1, 2, 3]]))
    assert [one.but(tried=()) for one in best] == [with_rate(SEVERAL[0], 0.01), with_rate(SEVERAL[2], 0.001)]
    assert {one.tried for one in best} == {(0.001, 0.01, 0.1)}


def test_a_sweep_survives_its_file():
    sweep = found([[3, NAN, 2], [1, 2, 3], [NAN, NAN, 0.5]])
    again = load_result(Sweep, result_bytes(sweep))
    assert again.names == sweep.names
    assert again.losses.tolist()[1] == sweep.losses.tolist()[1]
    assert np.isnan(again.losses[0, 1, 0])
    assert json.loads(again.lanes[0])["name"] == "fast"


def test_the_lane_for_range_test_has_no_schedule():
    experiment = spiral().but(lanes=(*SEVERAL, Lane(optimizer=optimizer_like("rprop"))))
    assert lane_for_range_test(experiment, 2) == Lane(optimizer=Adam(), regularizers=(L1(),))
    for lane, message in ((9, "no lane 9"), (-1, "no lane -1"), (3, "first step alone")):
        with pytest.raises(SpecError, match=message):
            lane_for_range_test(experiment, lane)
