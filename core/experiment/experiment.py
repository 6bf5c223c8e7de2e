"""The unit that is shared by link, stored, exported and reproduced: everything that decides a run's curve."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.data.augmentation import AnyAugmentation
from core.data.menu import AnyDataset
from core.errors import SpecError
from core.experiment.changes import AnyChange
from core.experiment.lane import Lane as Lane
from core.experiment.origin import Origin
from core.models.model import ModelSpec
from core.optim.losses import AnyLoss, CrossEntropy
from core.spec import Spec

MAX_LANES = 32


class Budget(Spec):
    """When a run ends: at the first limit that is reached."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] | None = 10
    """Passes over the training split."""
    steps: Annotated[int, Field(ge=1, le=100_000_000)] | None = None
    """Optimizer steps."""
    seconds: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """Training time in seconds, pauses not counted."""
    target_accuracy: Annotated[float, Field(gt=0, le=1)] | None = None
    """Validation accuracy at which every lane may stop, in [0, 1]."""
    patience: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Early stopping: epochs without a better validation loss in any lane, after which the run ends."""

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if self.epochs is None and self.steps is None and self.seconds is None:
            raise ValueError("a run needs an end: set epochs, steps or seconds")
        return self


class Experiment(Spec):
    """What travels down. Lanes of one repeat share initial weights and batch order; repeats differ in both."""

    version: Literal[1] = 1
    data: AnyDataset
    model: ModelSpec
    augmentation: Annotated[tuple[AnyAugmentation, ...], Field(max_length=8)] = ()
    """Random changes of the training images, in this order, anew in every step."""
    loss: AnyLoss = CrossEntropy()
    lanes: Annotated[tuple[Lane, ...], Field(min_length=1, max_length=MAX_LANES)]
    repeats: Annotated[int, Field(ge=1, le=16)] = 1
    """Seeds per lane: bands, not anecdotes."""
    batch_size: Annotated[int, Field(ge=1, le=8192)] | Literal["full"] = 32
    """Examples per optimizer step."""
    accumulation: Annotated[int, Field(ge=1, le=64)] = 1
    """Gradient accumulation: parts in which the examples of a step go through the model, to save memory."""
    budget: Budget = Budget()
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Start of all random streams."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    """Number format of the forward pass; weights and updates stay float32."""
    origin: Origin | None = None
    """The checkpoint of another run from whose weights this one starts; None for fresh initial weights."""
    frozen: Annotated[tuple[Annotated[int, Field(ge=0, lt=64)], ...], Field(max_length=64)] = ()
    """Layers of the stack, from 0, whose parameters are not trained. They act as in use: dropout in them drops nothing, and
    batch normalisation keeps the statistics that it has."""
    changes: Annotated[tuple[AnyChange, ...], Field(max_length=200)] = ()
    """What happens to the lanes on the way, in order of steps: the changes by hand of the run that this one repeats."""

    def series(self) -> tuple[str, ...]:
        """One name per lane and repeat, lane-major: the order of every per-series tuple in the events."""
        if self.repeats == 1:
            return self.lane_names()
        return tuple(f"{name}, seed {repeat + 1}" for name in self.lane_names() for repeat in range(self.repeats))

    def lane_names(self) -> tuple[str, ...]:
        """One name per lane, each another: equal labels are numbered, as `Adam, lr 0.001 (2)`."""
        names: list[str] = []
        for lane in self.lanes:
            name, n = lane.label, 1
            while name in names:
                n += 1
                name = f"{lane.label} ({n})"
            names.append(name)
        return tuple(names)

    def batch(self, n_train: int) -> int:
        """Examples per step for a training split of `n_train`."""
        return n_train if self.batch_size == "full" else min(self.batch_size, n_train)

    def with_hyper(self, lane: int, name: str, value: float) -> Self:
        """This experiment with one number of a lane's optimizer changed.

        Raises:
            SpecError: there is no such lane or number, or the value is out of its bounds.
        """
        if not 0 <= lane < len(self.lanes):
            raise SpecError(f"There is no lane {lane}.", hint=f"Lanes are numbered 0 to {len(self.lanes) - 1}.")
        return self.with_lane(lane, self.lanes[lane].with_number(name, value))

    def with_lane(self, index: int, lane: Lane) -> Self:
        """This experiment with one lane changed."""
        return self.but(lanes=(*self.lanes[:index], lane, *self.lanes[index + 1 :]))
