"""Learning rates to try, and lanes that take the best of them: an equal budget of tries for every optimizer."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.optim.optimizers import AnyOptimizer
from core.optim.schedules import Constant
from core.results.sweep import Sweep
from core.spec import Spec, choice_class, parse_json

SERIES = {1: (1.0,), 2: (1.0, 3.0), 3: (1.0, 2.0, 5.0)}
"""Round numbers that divide a power of ten about evenly, by how many there are."""


class Grid(Spec):
    """The learning rates of a sweep, and how long each cell is trained."""

    per_decade: Annotated[int, Field(ge=1, le=3, title="rates per power of ten")] = 1
    """1 tries 0.01 and 0.1; 2 also 0.03; 3 tries 0.01, 0.02, 0.05 and 0.1."""
    steps: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Optimizer steps of each cell."""
    lowest: Annotated[int, Field(ge=-7, le=0, title="lowest power of ten")] = -5
    """The first rate is 10 to this power."""
    highest: Annotated[int, Field(ge=-6, le=1, title="highest power of ten")] = 0
    """The last rate is 10 to this power."""
    seeds: Annotated[int, Field(ge=1, le=8)] = 1
    """Runs of each cell, from other initial weights."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError("the highest power of ten must be above the lowest")
        return self

    def rates(self) -> tuple[float, ...]:
        """The learning rates, rising."""
        powers = range(self.lowest, self.highest)
        inner = [float(f"{first}e{power}") for power in powers for first in SERIES[self.per_decade]]
        return (*inner, float(f"1e{self.highest}"))


def with_rate(lane: Lane, rate: float) -> Lane:
    """The lane with another learning rate.

    Raises:
        SpecError: the rate is out of bounds.
    """
    return lane.but(optimizer=lane.optimizer.but(lr=rate))


def lane_for_range_test(experiment: Experiment, lane: int) -> Lane:
    """The lane as the range test trains it: without its schedule.

    Raises:
        SpecError: there is no such lane, or its optimizer does not follow a changed learning rate.
    """
    if not 0 <= lane < len(experiment.lanes):
        raise SpecError(f"There is no lane {lane}.", hint=f"Lanes are numbered 0 to {len(experiment.lanes) - 1}.")
    chosen = experiment.lanes[lane]
    if chosen.optimizer.uses_lr_once:
        raise SpecError(
            f"{chosen.optimizer.label} looks at the learning rate in its first step alone, so there is no range to test.",
            hint="Use the sweep: it trains anew with each rate.",
        )
    return chosen.but(schedule=Constant())


def default_lanes(kinds: Iterable[str]) -> tuple[Lane, ...]:
    """A lane for each kind of optimizer, all numbers as they usually are."""
    return tuple(Lane(optimizer=choice_class(AnyOptimizer, kind)()) for kind in kinds)


def usual_rate(lane: Lane) -> Lane:
    """The lane with the rate that its optimizer usually has, and no name: what a search for rates starts from."""
    return lane.but(name="", tried=(), optimizer=lane.optimizer.but(lr=type(lane.optimizer)().lr))


def rows(lanes: Sequence[Lane]) -> tuple[tuple[str, Lane], ...]:
    """The lanes that differ in more than learning rate and name, each with what a table can call it."""
    groups: dict[str, list[Lane]] = {}
    for lane in lanes:
        groups.setdefault(_key(lane), []).append(lane)
    named = [(group[0].name if len(group) == 1 else "", group[0]) for group in groups.values()]
    return tuple((name or described(lane), lane) for name, lane in named)


def described(lane: Lane) -> str:
    """A lane without its rate, in words: `SGD, momentum 0.9, Cosine, L1 penalty`."""
    optimizer = lane.optimizer
    plain = type(optimizer)()
    unusual = [name for name in optimizer.knobs() if name != "lr" and getattr(optimizer, name) != getattr(plain, name)]
    numbers = [f"{name.replace('_', ' ')} {_said(getattr(optimizer, name))}" for name in unusual]
    schedule = [] if isinstance(lane.schedule, Constant) else [lane.schedule.label]
    return ", ".join([optimizer.label, *numbers, *schedule, *(one.label for one in lane.regularizers)])


def best_lanes(sweep: Sweep) -> tuple[Lane, ...]:
    """The rows of the sweep as lanes, each with its best rate; those that diverged with every rate are left out."""
    found = [(parse_json(Lane, text), sweep.best(row)) for row, text in enumerate(sweep.lanes)]
    tried = tuple(float(rate) for rate in sweep.rates)
    return tuple(with_rate(lane, tried[place]).but(tried=tried) for lane, place in found if place is not None)


def tuned(experiment: Experiment, sweep: Sweep) -> Experiment:
    """The experiment with the best rate of the sweep in each lane: of its own row, or else of the same kind of optimizer.

    Lanes of which the sweep knows nothing, or that diverged with every rate, stay as they are.
    """
    found = best_lanes(sweep)
    best = {_key(lane): lane for lane in found}
    by_kind = {lane.optimizer.kind: lane for lane in reversed(found)}
    models = [best.get(_key(lane), by_kind.get(lane.optimizer.kind, lane)) for lane in experiment.lanes]
    pairs = zip(experiment.lanes, models, strict=True)
    return experiment.but(lanes=tuple(with_rate(lane, one.optimizer.lr).but(tried=one.tried) for lane, one in pairs))


def _key(lane: Lane) -> str:
    """What a lane is besides its rate and its name."""
    return usual_rate(lane).model_dump_json()


def _said(value: object) -> str:
    return "on" if value is True else "off" if value is False else f"{value:g}" if isinstance(value, float) else str(value)
