"""Every schedule is torch's of the same name, stepped over a whole run; Plateau is ReduceLROnPlateau."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler as torch_schedules

from core.errors import SpecError
from core.optim import schedules
from core.optim.schedules import AnySchedule, Clock, Plateau, clock_of, plateau_factor, preview
from core.spec import choices, parse_json

PER_EPOCH, EPOCHS = 7, 13
CLOCK = Clock(PER_EPOCH, PER_EPOCH * EPOCHS)
TOTAL = PER_EPOCH * EPOCHS
LR = 0.5


def optimizer(lr=LR):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr)


def stepped(make, n, every=1):
    """The learning rates of n steps with a torch scheduler that is stepped after every `every` of them."""
    one = optimizer()
    scheduler = make(one)
    rates = []
    for number in range(1, n + 1):
        rates.append(one.param_groups[0]["lr"])
        one.step()
        if number % every == 0:
            scheduler.step()
    return rates


def warm_up_then_cosine(one, start, n):
    first = torch_schedules.LinearLR(one, start, 1.0, total_iters=n)
    second = torch_schedules.CosineAnnealingLR(one, TOTAL - n)
    return torch_schedules.SequentialLR(one, [first, second], [n])


def one_cycle(one, rising, divisor, final):
    return torch_schedules.OneCycleLR(
        one, LR, TOTAL, pct_start=rising, div_factor=divisor, final_div_factor=final, cycle_momentum=False
    )


def cases(kind, parameters, make, ours, every=1):
    for values in parameters:
        yield pytest.param(
            getattr(schedules, kind)(**ours(*values)),
            lambda one, values=values: make(one, *values),
            every,
            id=f"{kind}-{'-'.join(map(str, values))}",
        )


CASES = [
    *cases("Constant", [()], lambda one: torch_schedules.LambdaLR(one, lambda _: 1.0), lambda: {}),
    *cases(
        "StepDecay",
        [(1, 0.9), (3, 0.1), (5, 0.5), (40, 0.5)],
        torch_schedules.StepLR,
        lambda every, gamma: {"every": every, "gamma": gamma},
        PER_EPOCH,
    ),
    *cases(
        "MultiStep",
        [((2, 5, 9), 0.1), ((1,), 0.5), ((9, 2, 2), 0.7), ((50,), 0.1)],
        torch_schedules.MultiStepLR,
        lambda milestones, gamma: {"milestones": " , ".join(map(str, milestones)), "gamma": gamma},
        PER_EPOCH,
    ),
    *cases("Exponential", [(0.9,), (0.5,), (1.0,)], torch_schedules.ExponentialLR, lambda g: {"gamma": g}, PER_EPOCH),
    *cases(
        "Polynomial",
        [(1.0,), (0.5,), (2.5,)],
        lambda one, power: torch_schedules.PolynomialLR(one, TOTAL, power),
        lambda power: {"power": power},
    ),
    *cases(
        "Cosine",
        [(0.0,), (0.1,), (1.0,)],
        lambda one, least: torch_schedules.CosineAnnealingLR(one, TOTAL, least * LR),
        lambda least: {"least": least},
    ),
    *cases(
        "CosineRestarts",
        [(1, 1, 0.0), (3, 1, 0.1), (1, 2, 0.0), (2, 3, 0.2), (20, 2, 0.0)],
        lambda one, period, growth, least: torch_schedules.CosineAnnealingWarmRestarts(
            one, period * PER_EPOCH, growth, least * LR
        ),
        lambda period, growth, least: {"period": period, "growth": growth, "least": least},
    ),
    *cases(
        "WarmUp",
        [(0.01, 10), (0.3, 1), (1.0, 20), (0.5, 500)],
        lambda one, start, n: torch_schedules.LinearLR(one, start, 1.0, total_iters=n),
        lambda start, n: {"start": start, "steps": n},
    ),
    *cases(
        "WarmUp",
        [(0.01, 10), (0.3, 1), (1.0, 90)],
        warm_up_then_cosine,
        lambda start, n: {"start": start, "steps": n, "then": "cosine"},
    ),
    *cases(
        "OneCycle",
        [(0.3, 25.0, 1e4), (0.05, 2.0, 10.0), (0.9, 1.0, 1.0), (0.5, 100.0, 1e8)],
        one_cycle,
        lambda rising, divisor, final: {"rising": rising, "divisor": divisor, "final_divisor": final},
    ),
    *cases("Plateau", [()], lambda one: torch_schedules.LambdaLR(one, lambda _: 1.0), lambda: {}),
]


@pytest.mark.parametrize(("schedule", "make", "every"), CASES)
def test_a_schedule_is_torchs_of_the_same_name_over_a_whole_run(schedule, make, every):
    expected = stepped(make, TOTAL, every)
    found = [LR * schedule.factor(step, CLOCK) for step in range(TOTAL)]
    assert np.abs(np.array(found) - expected).max() <= 1e-12


def test_every_schedule_on_the_menu_is_held_to_torch():
    assert {type(case.values[0]) for case in CASES} == set(choices(AnySchedule))


@settings(max_examples=60, deadline=None)
@given(
    gamma=st.floats(0.05, 0.95),
    patience=st.integers(0, 4),
    cooldown=st.integers(0, 3),
    threshold=st.sampled_from([0.0, 1e-4, 0.1]),
    least=st.sampled_from([0.0, 0.01, 0.5]),
    losses=st.lists(st.one_of(st.floats(-1, 3), st.sampled_from([math.nan, math.inf])), max_size=30),
)
def test_plateau_drops_as_torch_does(gamma, patience, cooldown, threshold, least, losses):
    choice = Plateau(gamma=gamma, patience=patience, cooldown=cooldown, threshold=threshold, least=least)
    one = optimizer(1.0)
    scheduler = torch_schedules.ReduceLROnPlateau(
        one, factor=gamma, patience=patience, cooldown=cooldown, threshold=threshold, min_lr=least, eps=0
    )
    for done, loss in enumerate(losses, 1):
        one.step()
        scheduler.step(loss)
        assert plateau_factor(choice, losses[:done]) == pytest.approx(one.param_groups[0]["lr"], abs=1e-12)


def test_without_losses_a_plateau_has_not_dropped():
    assert plateau_factor(Plateau(), []) == 1.0


@pytest.mark.parametrize("cls", choices(AnySchedule), ids=lambda cls: cls.kind_name())
@pytest.mark.parametrize("clock", [Clock(1, 1), Clock(3, 2), Clock(1, 100), Clock(10, None)])
def test_factors_are_never_negative_and_never_above_one_on_the_shortest_runs_and_beyond_the_end(cls, clock):
    schedule = cls()
    factors = [schedule.factor(step, clock) for step in range(clock.length + 50)]
    assert all(0 <= factor <= 1 for factor in factors)


def test_one_cycle_bears_a_rise_of_one_step():
    schedule = schedules.OneCycle(rising=0.01)
    assert schedule.factor(0, Clock(10, 100)) == pytest.approx(1.0)
    assert schedule.factor(99, Clock(10, 100)) == pytest.approx(1 / (25 * 1e4), rel=1e-9)


def test_a_run_that_ends_by_the_clock_is_taken_to_have_a_hundred_epochs():
    clock = Clock(5, None)
    assert schedules.Cosine().factor(250, clock) == pytest.approx(0.5)
    assert schedules.Cosine(least=0.1).factor(10_000, clock) == pytest.approx(0.1)


def test_the_clock_ends_at_the_first_limit():
    assert clock_of(105, 10, None, None) == Clock(11, None)
    assert clock_of(105, 10, 4, None) == Clock(11, 44)
    assert clock_of(105, 10, 4, 30) == Clock(11, 30)
    assert clock_of(105, 10, None, 30) == Clock(11, 30)


@pytest.mark.parametrize("cls", choices(AnySchedule), ids=lambda cls: cls.kind_name())
def test_the_preview_is_the_rate_of_each_of_its_steps(cls):
    steps, rates = preview(cls(), 0.25, CLOCK, n_points=20)
    assert len(steps) == len(rates) <= 20
    assert (steps[0], steps[-1]) == (1, TOTAL)
    assert rates.tolist() == [0.25 * cls().factor(int(step) - 1, CLOCK) for step in steps]


def test_the_preview_of_a_short_run_has_every_step_once():
    assert preview(schedules.Cosine(), 1.0, Clock(2, 5))[0].tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["", "0", "1,,2", "1;2", "-3", "1, 2,", "١", "1\n", "1234567"])
def test_milestones_must_be_numbers_with_commas(text):
    with pytest.raises(SpecError, match="milestones"):
        schedules.MultiStep().but(milestones=text)


def test_a_schedule_survives_json():
    kept = schedules.MultiStep(milestones="3, 9", gamma=0.5)
    assert parse_json(AnySchedule, kept.model_dump_json()) == kept
