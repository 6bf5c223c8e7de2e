"""What a script is about: all that its parts look at, found once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from core.data.dataset import DataProfile
from core.errors import NotApplicable
from core.experiment.experiment import Experiment
from core.export.script_stages import Course, course_of
from core.models.code import ModelCode, model_code
from core.models.layers.backbone import Backbone
from core.models.model import all_layers, stack_error
from core.optim.schedules import AnySchedule

KINDS = ("l1", "l2", "clip_norm", "clip_value", "weight_decay", "max_norm", "weight_average")
"""Of regularizers, in the order in which they act."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One lane and seed of an experiment."""

    experiment: Experiment
    profile: DataProfile
    course: Course
    code: ModelCode
    repeat: int
    last_step: int | None
    """Where the run ended, where that is known from the run alone."""

    @classmethod
    def of(cls, experiment: Experiment, series: int, last_step: int | None) -> Self:
        """The plan of `series = lane * repeats + repeat`.

        Raises:
            SpecError: there is no such series, or the layers do not fit together.
            NotApplicable: a script cannot say it; the message says what.
        """
        lane, repeat = divmod(series, experiment.repeats)
        course, profile = course_of(experiment, lane), experiment.data.profile()
        code = model_code(experiment.model, profile.input_shape, experiment.seed, repeat)
        error = stack_error(experiment.model, code.inference)
        if error is not None:
            raise error
        if experiment.origin is not None and experiment.origin.optimizer_state and course.first.optimizer.needs_closure:
            raise NotApplicable(
                f"This run went on with the memory of another run: that of {course.first.optimizer.label} fits in no script.",
                hint="Export the run from which it was forked, or fork without the optimizer's state.",
            )
        if course.ends_after is not None:
            last_step = min(last_step or course.ends_after, course.ends_after)
        return cls(experiment, profile, course, code, repeat, last_step)

    @property
    def name(self) -> str:
        """The lane, and the seed where there are several."""
        return self.course.name + (f", seed {self.repeat + 1}" if self.experiment.repeats > 1 else "")

    @property
    def draws_masks(self) -> bool:
        """Whether a layer may draw random numbers in training."""
        layers = [layer for _, layer in all_layers(self.experiment.model.layers)]
        return any(
            isinstance(layer, Backbone) or getattr(layer, "p", 0) > 0 or getattr(layer, "dropout", 0) > 0 for layer in layers
        )

    @property
    def has_maps(self) -> bool:
        """Whether there are convolutions of pictures: their kernels lie in memory as in the run."""
        texts = [*self.code.definitions, *self.code.stack]
        return self.has_backbone or any("Conv2d(" in text or "ConvTranspose2d(" in text for text in texts)

    @property
    def has_backbone(self) -> bool:
        return any(isinstance(layer, Backbone) for _, layer in all_layers(self.experiment.model.layers))

    @property
    def needs_start(self) -> bool:
        """Whether the first weights come from a file: those of another run, or imported ones."""
        layers = [layer for _, layer in all_layers(self.experiment.model.layers)]
        has_own = any(isinstance(layer, Backbone) and layer.weights for layer in layers)
        return self.experiment.origin is not None or bool(self.experiment.model.weights) or has_own

    @property
    def has_memory(self) -> bool:
        """Whether the optimizer's memory comes from the run before, too."""
        return self.experiment.origin is not None and self.experiment.origin.optimizer_state

    @property
    def kinds(self) -> list[str]:
        """The kinds of regularizers that act in any stage, in the order in which they act."""
        found = {one.kind for lane in self.course.lanes for one in lane.regularizers}
        return [kind for kind in KINDS if kind in found]

    @property
    def takes_all(self) -> set[bool]:
        """Whether steps take the whole training split: ever, never, or both in turn."""
        return {lane.optimizer.needs_whole_split for lane in self.course.lanes}

    @property
    def schedules(self) -> Sequence[AnySchedule]:
        """All that the lane ever has, the first one first."""
        found: list[AnySchedule] = []
        for lane in self.course.lanes:
            if lane.schedule not in found:
                found.append(lane.schedule)
        return found

    @property
    def seconds(self) -> float | None:
        """The time after which the script ends by itself."""
        return self.experiment.budget.seconds if self.last_step is None else None

    @property
    def evaluated(self) -> str:
        """The network whose figures are shown."""
        return "average if average is not None else model" if "weight_average" in self.kinds else "model"

    @property
    def score(self) -> str:
        """The score of a split, in an f-string."""
        return "R² {score:.3f}" if self.profile.task == "regression" else "accuracy {score:.1%}"
