"""Races over surfaces against torch.optim run by hand, and against formulas written out."""

import math

import numpy as np
import pytest
import torch

from core.experiment.lane import Lane
from core.optim.optimizers import LBFGS, SGD, Adam, AnyOptimizer, GradientDescent, Muon, RMSprop
from core.optim.regularizers import ClipNorm, MaxNorm, WeightDecay
from core.optim.schedules import Plateau, StepDecay, plateau_factor
from core.optim.surfaces import TRIED_RATES, AnySurface, Beale, Himmelblau, Quadratic, Ravine, Rosenbrock, SurfaceTask
from core.seeds import numpy_stream
from core.spec import choices
from core.training.surface_race import FAR, surface_race, tuned


def task(surface=None, **fields) -> SurfaceTask:
    surface = surface or Himmelblau()
    return SurfaceTask(**({"surface": surface, "start": surface.start, "n_steps": 40, "rates": "own"} | fields))


def lane(cls, **fields) -> Lane:
    return Lane(optimizer=cls(**fields))


def by_hand(make, n: int, start, loss) -> np.ndarray:
    """Positions of a torch optimizer on a loss that torch differentiates itself."""
    weights = torch.nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = make([weights])
    positions = [weights.detach().numpy().copy()]

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(*weights)
        value.backward()
        return value

    for _ in range(n):
        optimizer.step(closure)
        positions.append(weights.detach().numpy().copy())
    return np.array(positions)


def himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@pytest.mark.parametrize(
    ("choice", "make"),
    [
        (SGD(lr=0.01), lambda p: torch.optim.SGD(p, lr=0.01)),
        (SGD(lr=0.003, momentum=0.9, nesterov=True), lambda p: torch.optim.SGD(p, lr=0.003, momentum=0.9, nesterov=True)),
        (Adam(lr=0.3), lambda p: torch.optim.Adam(p, lr=0.3)),
        (RMSprop(lr=0.1), lambda p: torch.optim.RMSprop(p, lr=0.1)),
    ],
)
def test_positions_are_those_of_torch_optim_on_a_loss_that_torch_differentiates(choice, make):
    paths = surface_race(task(), [Lane(optimizer=choice)])
    np.testing.assert_allclose(paths.positions[0], by_hand(make, 40, Himmelblau.start, himmelblau), atol=1e-10)
    np.testing.assert_allclose(paths.values[0], Himmelblau().value(*paths.positions[0].T), rtol=1e-14)


def test_lbfgs_gets_its_closure_and_says_how_often_it_looked():
    choice = LBFGS(lr=1.0)
    arguments = choice.arguments()
    positions = by_hand(lambda p: torch.optim.LBFGS(p, **arguments), 12, Himmelblau.start, himmelblau)
    paths = surface_race(task(n_steps=12), [Lane(optimizer=choice), lane(SGD, lr=0.01)])
    np.testing.assert_allclose(paths.positions[0], positions, atol=1e-7)
    assert paths.n_evaluations[0] > 12
    assert paths.n_evaluations[1] == 12


def test_gradient_descent_momentum_and_adam_step_as_their_formulas_say():
    surface, n = Quadratic(condition=10, angle=0), 6
    paths = surface_race(task(surface, n_steps=n), [lane(SGD, lr=0.05), lane(SGD, lr=0.05, momentum=0.9), lane(Adam, lr=0.2)])
    curvature = np.array([1.0, 10.0])
    plain = ball = adam = np.array(surface.start)
    velocity = m = v = np.zeros(2)
    for k in range(1, n + 1):
        plain = plain - 0.05 * curvature * plain
        velocity = 0.9 * velocity + curvature * ball
        ball = ball - 0.05 * velocity
        g = curvature * adam
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        adam = adam - 0.2 * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
        np.testing.assert_allclose(paths.positions[:, k], [plain, ball, adam], rtol=1e-12)
        np.testing.assert_allclose(paths.momenta[1:, k - 1], [velocity, m], rtol=1e-12)
        np.testing.assert_allclose(paths.gradients[2, k - 1], g, rtol=1e-12)
    assert np.isnan(paths.momenta[0]).all()
    np.testing.assert_allclose(paths.steps[0], -0.05 * paths.gradients[0], rtol=1e-9)


@pytest.mark.parametrize("condition", [3.0, 50.0])
def test_gradient_descent_converges_below_two_over_the_largest_curvature_and_diverges_above(condition):
    surface = Quadratic(condition=condition)
    limit = surface.stable_below()
    below, above = lane(GradientDescent, lr=0.97 * limit), lane(GradientDescent, lr=1.03 * limit)
    paths = surface_race(task(surface, n_steps=1000), [below, above])
    assert paths.values[0, -1] < 1e-9
    done = paths.n_done[1]
    assert done < 1000
    assert np.isnan(paths.positions[1, done + 1 :]).all()
    assert np.abs(paths.positions[1, : done + 1]).max() <= FAR * surface.half
    assert np.isfinite(paths.values[1, : done + 1]).all()
    assert paths.notes[1].startswith(f"Diverged: step {done + 1} would have gone to (")


@pytest.mark.parametrize("surface", choices(AnySurface))
def test_every_optimizer_on_the_menu_races_on_every_surface(surface):
    lanes = [lane(cls) for cls in choices(AnyOptimizer)]
    paths = surface_race(task(surface(), n_steps=5), lanes)
    assert paths.positions.shape == (len(lanes), 6, 2)
    for k, done in enumerate(paths.n_done):
        assert np.isfinite(paths.positions[k, : done + 1]).all()
        assert np.isnan(paths.positions[k, done + 1 :]).all()
        assert (done == 5) != paths.notes[k].startswith("Diverged")
        assert (paths.positions[k, 0] == surface.start).all()


def test_all_lanes_feel_the_same_noise_but_those_that_take_all_examples():
    noisy = task(noise=5.0, seed=3)
    paths = surface_race(noisy, [lane(SGD, lr=0.001), lane(Adam, lr=0.01), lane(GradientDescent, lr=0.001)])
    noise = 5.0 * numpy_stream(3, "batches").standard_normal((40, 2))
    for k, expected in ((0, noise), (1, noise), (2, 0 * noise)):
        true = np.stack(Himmelblau().gradient(*paths.positions[k, :-1].T), 1)
        np.testing.assert_allclose(paths.gradients[k] - true, expected, atol=1e-12)
    assert "no noise" in paths.notes[2]
    assert surface_race(noisy, [lane(SGD, lr=0.001)]).positions.tobytes() == paths.positions[:1].tobytes()
    other = surface_race(task(noise=5.0, seed=4), [lane(SGD, lr=0.001)])
    assert not np.allclose(other.positions, paths.positions[:1])


def test_schedules_count_the_epochs_that_the_steps_stand_for():
    decayed = Lane(optimizer=SGD(lr=0.01), schedule=StepDecay(every=1, gamma=0.5))
    rates = surface_race(task(n_steps=6, epochs=3), [decayed]).rates[0]
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025])


def test_a_plateau_lowers_the_rate_of_a_lane_that_bounces():
    choice = Plateau(patience=0, gamma=0.5)
    bouncing = Lane(optimizer=SGD(lr=0.3), schedule=choice)
    paths = surface_race(task(Ravine(steepness=20), n_steps=60, epochs=30), [bouncing])
    seen = [plateau_factor(choice, paths.values[0, 2 : k + 1 : 2]) for k in range(60)]
    np.testing.assert_allclose(paths.rates[0], 0.3 * np.array(seen))
    assert paths.rates[0, -1] < 0.3


def test_clipping_and_decay_act_and_the_gradient_is_told_as_the_surface_gives_it():
    clipped = Lane(optimizer=SGD(lr=0.1), regularizers=(ClipNorm(limit=1.0),))
    decayed = Lane(optimizer=SGD(lr=0.1), regularizers=(WeightDecay(strength=0.5),))
    paths = surface_race(task(n_steps=1), [clipped, decayed])
    gradient = np.array(Himmelblau().gradient(*Himmelblau.start))
    np.testing.assert_allclose(paths.gradients[:, 0], [gradient, gradient])
    assert np.linalg.norm(paths.steps[0, 0]) == pytest.approx(0.1, rel=1e-5)
    np.testing.assert_allclose(paths.positions[1, 1], np.array(Himmelblau.start) * (1 - 0.05) - 0.1 * gradient)


def test_decay_acts_once_in_a_step_that_looks_many_times():
    plain = surface_race(task(Quadratic(), n_steps=1), [lane(LBFGS, lr=0.5)])
    decayed = surface_race(
        task(Quadratic(), n_steps=1), [Lane(optimizer=LBFGS(lr=0.5), regularizers=(WeightDecay(strength=0.2),))]
    )
    begun = task(Quadratic(), n_steps=1, start=tuple(0.9 * x for x in Quadratic.start))
    np.testing.assert_allclose(decayed.positions[0, 1], surface_race(begun, [lane(LBFGS, lr=0.5)]).positions[0, 1])
    assert not np.allclose(decayed.positions[0, 1], plain.positions[0, 1])


def test_what_is_other_here_than_in_training_is_said():
    paths = surface_race(task(), [lane(Muon), Lane(optimizer=SGD(lr=0.001), regularizers=(MaxNorm(),)), lane(Adam)])
    assert "AdamW" in paths.notes[0]
    assert "Max-norm" in paths.notes[1]
    assert paths.notes[2] == ""


def test_a_tuned_lane_has_the_rate_that_ends_lowest_among_those_tried():
    begun = task(Rosenbrock(), n_steps=60)
    ends = {}
    for rate in TRIED_RATES:
        paths = surface_race(begun, [lane(Adam, lr=rate)])
        ends[rate] = paths.values[0, -1] if paths.n_done[0] == 60 else math.inf
    best = min(ends, key=ends.get)
    assert tuned(begun, lane(Adam)).optimizer.lr == best
    paths = surface_race(begun.but(rates="tuned", start=(1.5, -0.5)), [lane(Adam)])
    assert paths.labels == (f"Adam, lr {best:g}",)
    assert (paths.rates == best).all()


def test_of_rates_that_all_reach_the_minimum_the_fastest_is_taken():
    begun = task(Quadratic(condition=1), n_steps=2000)
    assert surface_race(begun, [lane(SGD, lr=0.03)]).values[0, -1] < 1e-10
    assert tuned(begun, lane(SGD)).optimizer.lr == 1.0


def test_a_lane_that_diverges_with_every_rate_keeps_the_one_that_lasts_longest():
    steep = task(Beale(), start=(-4.4, 4.4), n_steps=400)
    assert tuned(steep, lane(SGD, momentum=0.9)).optimizer.lr <= 1e-4


def test_progress_is_told_lane_by_lane():
    told = []
    surface_race(task(n_steps=5), [lane(SGD), lane(Adam)], lambda *done: told.append(done))
    assert told == [(5, 10), (10, 10)]
