"""Ready fields of lanes: what a race is usually run between."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.experiment.experiment import MAX_LANES
from core.experiment.lane import Lane
from core.optim.optimizers import SGD, Adagrad, Adam, AdamW, OptimizerChoice, RMSprop

SIX_RATES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)


@dataclass(frozen=True, slots=True)
class Race:
    """A field with a name and a sentence that says what there is to see; `lanes` gets the optimizer in hand."""

    name: str
    label: str
    about: str
    lanes: Callable[[OptimizerChoice], tuple[Lane, ...]]


def six_optimizers() -> tuple[Lane, ...]:
    """The six that every course names, each with the learning rate that it is usually started with."""
    return (
        Lane(optimizer=SGD(lr=0.1), name="SGD"),
        Lane(optimizer=SGD(lr=0.03, momentum=0.9), name="Momentum"),
        Lane(optimizer=RMSprop(lr=0.001), name="RMSprop"),
        Lane(optimizer=Adam(lr=0.001), name="Adam"),
        Lane(optimizer=AdamW(lr=0.001), name="AdamW"),
        Lane(optimizer=Adagrad(lr=0.01), name="Adagrad"),
    )


def rate_ladder(optimizer: OptimizerChoice, rates: Sequence[float]) -> tuple[Lane, ...]:
    """One lane per learning rate, all else equal.

    Raises:
        SpecError: a rate is out of the optimizer's bounds.
    """
    return tuple(Lane(optimizer=optimizer.but(lr=rate)) for rate in rates[:MAX_LANES])  # type: ignore[arg-type]


def shared_rate(lanes: tuple[Lane, ...], rate: float) -> tuple[Lane, ...]:
    """The same lanes, all with this learning rate.

    Raises:
        SpecError: it is out of an optimizer's bounds.
    """
    return tuple(lane.but(optimizer=lane.optimizer.but(lr=rate)) for lane in lanes)


def with_one_rate(before: tuple[Lane, ...], after: tuple[Lane, ...]) -> tuple[Lane, ...]:
    """Lanes that share one learning rate, after an edit: a rate that was changed holds for all, a lane that joins takes theirs.

    Raises:
        SpecError: the rate is out of an optimizer's bounds.
    """
    rate = before[0].optimizer.lr
    if len(before) == len(after):
        changed = [new.optimizer.lr for old, new in zip(before, after, strict=True) if _has_new_rate(old, new)]
        rate = changed[0] if changed else rate
    return shared_rate(after, rate)


def _has_new_rate(old: Lane, new: Lane) -> bool:
    """Whether the rate itself was edited: another optimizer comes with its own usual rate, which nobody asked for."""
    return old.optimizer.kind == new.optimizer.kind and old.optimizer.lr != new.optimizer.lr


RACES: tuple[Race, ...] = (
    Race(
        "six",
        "Race six optimizers",
        "SGD, momentum, RMSprop, Adam, AdamW and Adagrad, each with its usual learning rate.",
        lambda optimizer: six_optimizers(),
    ),
    Race(
        "rates",
        "One optimizer, six learning rates",
        "The optimizer of the first lane with learning rates from 0.3 to 0.001: too large, right, and too small.",
        lambda optimizer: rate_ladder(optimizer, SIX_RATES),
    ),
    Race(
        "momenta",
        "SGD with more and more momentum",
        "Plain SGD against momentum 0.5, 0.9 and 0.99, with and without Nesterov's look ahead.",
        lambda optimizer: _momenta(),
    ),
    Race(
        "decays",
        "Adam and AdamW with weight decay",
        "The same weight decay mixed into the gradient (Adam) and taken from the weights themselves (AdamW).",
        lambda optimizer: _decays(),
    ),
)


def _momenta() -> tuple[Lane, ...]:
    plain = tuple(Lane(optimizer=SGD(lr=0.01, momentum=m), name=f"Momentum {m:g}") for m in (0.0, 0.5, 0.9, 0.99))
    ahead = tuple(
        Lane(optimizer=SGD(lr=0.01, momentum=m, nesterov=True), name=f"Nesterov {m:g}") for m in (0.9, 0.99)
    )  # fmt: skip
    return (plain[0].but(name="SGD"), *plain[1:], *ahead)


def _decays() -> tuple[Lane, ...]:
    return tuple(
        Lane(optimizer=cls(lr=0.003, weight_decay=decay), name=f"{cls.label}, decay {decay:g}")
        for cls in (Adam, AdamW)
        for decay in (0.0, 0.01, 0.1)
    )
