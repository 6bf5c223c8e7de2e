"""What happens to the lanes while a run goes on: changes by hand, written down so that a run can be repeated with them."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from core.errors import SpecError
from core.events import AddLane, Command, Event, RemoveLane, SetHyper, SwapOptimizer, remade
from core.experiment.lane import Lane
from core.optim.optimizers import AnyOptimizer
from core.spec import Choice, on_menu, parse_json

AfterStep = Annotated[int, Field(ge=0, le=100_000_000)]
LaneNumber = Annotated[int, Field(ge=0, lt=32)]


class ChangeChoice(Choice):
    """A change that holds from step `after_step + 1` on."""

    after_step: AfterStep

    def command(self) -> Command:
        """The command that makes it."""
        raise TypeError(f"{type(self).__name__} must say its command")


class HyperChange(ChangeChoice):
    """One number of a lane becomes another."""

    kind: Literal["hyper"] = "hyper"
    label = "Change a hyperparameter"
    lane: LaneNumber
    name: Annotated[str, Field(min_length=1, max_length=60)]
    value: float

    def command(self) -> Command:
        return SetHyper(self.lane, self.name, self.value)


class OptimizerSwap(ChangeChoice):
    """A lane goes on with another optimizer, whose state starts empty."""

    kind: Literal["swap"] = "swap"
    label = "Swap the optimizer"
    lane: LaneNumber
    optimizer: AnyOptimizer

    def command(self) -> Command:
        return SwapOptimizer(self.lane, self.optimizer.model_dump_json())


class LaneAddition(ChangeChoice):
    """A lane joins: from the initial weights (fork_of -1), or as a copy of another."""

    kind: Literal["add"] = "add"
    label = "Add a lane"
    definition: Lane
    fork_of: Annotated[int, Field(ge=-1, lt=32)] = -1

    def command(self) -> Command:
        return AddLane(self.definition.model_dump_json(), self.fork_of)


class LaneRemoval(ChangeChoice):
    """A lane is trained no longer."""

    kind: Literal["remove"] = "remove"
    label = "Remove a lane"
    lane: LaneNumber

    def command(self) -> Command:
        return RemoveLane(self.lane)


AnyChange = Annotated[HyperChange | OptimizerSwap | LaneAddition | LaneRemoval, on_menu()]


def change_of(after_step: int, command: Command) -> AnyChange:
    """A command as the change that repeats it.

    Raises:
        SpecError: its text describes no lane or optimizer, or it changes nothing that could be repeated.
    """
    match command:
        case SetHyper():
            return HyperChange(after_step=after_step, lane=command.lane, name=command.name, value=command.value)
        case SwapOptimizer():
            optimizer: AnyOptimizer = parse_json(AnyOptimizer, command.optimizer)  # type: ignore[arg-type]
            return OptimizerSwap(after_step=after_step, lane=command.lane, optimizer=optimizer)
        case AddLane():
            definition = parse_json(Lane, command.definition)
            return LaneAddition(after_step=after_step, definition=definition, fork_of=command.source)
        case RemoveLane():
            return LaneRemoval(after_step=after_step, lane=command.lane)
    raise SpecError(f"{type(command).__name__} is no change of a run.", hint="Only changes of lanes can be repeated.")


def changes_of(events: Iterable[Event]) -> tuple[AnyChange, ...]:
    """The changes by hand in a run's events, in order: put into its experiment, they happen again."""
    made = (remade(event) for event in events)
    return tuple(change_of(*one) for one in made if one is not None)
