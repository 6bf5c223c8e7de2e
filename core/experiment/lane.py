"""One competitor of a race: an optimizer with its schedule and what holds its weights back."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from core.data.own.reading.names import visible
from core.errors import SpecError, nearest
from core.optim.optimizers import AnyOptimizer, LearningRate
from core.optim.regularizers import AnyRegularizer
from core.optim.schedules import AnySchedule, Constant
from core.spec import Spec

MAX_NAME = 40


def _shown(name: str) -> str:
    """A name as it may be shown; the codes of signs that would turn the writing direction can be longer than the name was."""
    return visible(name)[:MAX_NAME].rstrip()


class Lane(Spec):
    """One optimizer in a race; a plain run has one lane."""

    optimizer: AnyOptimizer
    """The update rule and its hyperparameters."""
    schedule: AnySchedule = Constant()
    """How the learning rate changes over the run."""
    regularizers: Annotated[tuple[AnyRegularizer, ...], Field(max_length=8)] = ()
    """What holds gradient and weights back, each kind at most once."""
    name: Annotated[str, Field(max_length=MAX_NAME), AfterValidator(_shown)] = ""
    """What the legend calls it, on one line; empty for the optimizer's own name. What would turn the writing direction is shown
    as its code."""
    tried: Annotated[tuple[LearningRate, ...], Field(max_length=64)] = ()
    """Learning rates that were tried out with this lane, of which one was the best; empty where none were."""

    @model_validator(mode="after")
    def _is_told_apart(self) -> Self:
        kinds = [regularizer.kind for regularizer in self.regularizers]
        if len(kinds) != len(set(kinds)):
            raise ValueError("each kind of regularizer can be there once")
        return self

    @property
    def label(self) -> str:
        """The lane in a legend: `Adam, lr 0.001`."""
        return self.name or f"{self.optimizer.label}, lr {self.optimizer.lr:g}"

    @property
    def n_tries(self) -> int:
        """Of how many learning rates that were tried the present one is the best; 0 where it was chosen otherwise."""
        return len(self.tried) if self.optimizer.lr in self.tried else 0

    def numbers(self) -> dict[str, float]:
        """The numbers that can be changed while it trains, by name: `lr`, `beta1`, `clip_norm.limit`."""
        found = {name: getattr(self.optimizer, name) for name, info in self.optimizer.knobs().items() if _is_number(info)}
        for regularizer in self.regularizers:
            knobs = regularizer.knobs().items()
            found |= {f"{regularizer.kind}.{name}": getattr(regularizer, name) for name, info in knobs if _is_number(info)}
        return found

    def with_number(self, name: str, value: float) -> Self:
        """This lane with one of its numbers changed.

        Raises:
            SpecError: there is no such number, or the value is out of its bounds, or the change would need another state.
        """
        present = self.numbers()
        if name not in present:
            raise SpecError(f"{self.optimizer.label} has no number {name[:40]!r}.", hint=nearest(name, list(present)))
        if name == "momentum" and (value > 0) != (present[name] > 0):
            raise SpecError(
                "Momentum cannot be switched on or off within a run: the optimizer keeps another state with it.",
                hint="Start a new run, swap the optimizer, or choose a small momentum above 0.",
            )
        kind, _, field = name.rpartition(".")
        if not kind:
            return self.but(optimizer=self.optimizer.but(**{name: value}))
        changed = (one.but(**{field: value}) if one.kind == kind else one for one in self.regularizers)
        return self.but(regularizers=tuple(changed))


def _is_number(info: Any) -> bool:
    return info.annotation is float
