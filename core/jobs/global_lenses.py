"""The lens jobs that look at many examples: contributions and importance, mean maps, words, and partial dependence."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.gallery import SplitName
from core.errors import SpecError
from core.explanation.columns import Column, columns_of
from core.explanation.shapley import EXACT_PLAYERS, n_coalitions
from core.explanation.text_shap import ShapText
from core.jobs.job import Desk
from core.jobs.lenses import ExplainJob, LensJob, loaded
from core.models.estimate import forward_seconds
from core.models.model import infer
from core.settings import Settings

TABLES = ("tabular", "points")


class ManyJob(LensJob):
    """A lens that asks the question of one explanation about many examples of a split; the example in `explained` is none of
    its business."""

    explained: ExplainJob
    """The question and, where one is used, the method."""
    split: SplitName = "validation"
    n: Annotated[int, Field(ge=2, le=1_000)] = 100
    """Examples; fewer where the split has fewer."""

    modalities: ClassVar[tuple[str, ...]]

    def check(self, settings: Settings) -> None:
        """As the explanation itself, and that this view fits the kind of data.

        Raises:
            SpecError: it does not.
        """
        self.explained.check(settings)
        if self.explained.experiment.data.profile().modality not in self.modalities:
            raise SpecError("This view does not fit these data.", hint="Choose the view for this kind of data.")

    def n_there(self) -> int:
        """How many examples it will be."""
        return min(self.n, self.explained.experiment.data.profile().n_in(self.split))

    def evaluations(self) -> int:
        """Passes of one example through the model, about. Torch-free."""
        raise TypeError(f"{type(self).__name__} must say what it costs")

    def seconds(self) -> float:
        """About how long it takes on one thread. Torch-free."""
        experiment = self.explained.experiment
        return forward_seconds(infer(experiment.model, experiment.data.profile().input_shape), self.evaluations())

    def many(self, desk: Desk) -> Any:
        """The examples, ready to be asked about."""
        from core.explanation.global_view import Many, sampled

        job = self.explained
        splits = loaded(job.experiment.data, job.experiment.seed)
        subject = job.subject(desk)
        return Many(subject, splits, self.split, sampled(splits, self.split, self.n, job.seed))

    def tally(self, desk: Desk) -> Any:
        from core.explanation.tally import Tally

        return Tally(desk.progress, self.evaluations())


class GlobalViewJob(ManyJob):
    """SHAP values of many rows of a table, and permutation importance."""

    kind: Literal["global_view"] = "global_view"
    label: ClassVar[str] = "All examples"
    modalities: ClassVar[tuple[str, ...]] = TABLES
    n_repeats: Annotated[int, Field(ge=2, le=50)] = 10
    """How often each column is shuffled."""

    def evaluations(self) -> int:
        from core.explanation.global_view import MOST_SHUFFLED

        experiment, method = self.explained.experiment, self.explained.explainer
        n_inputs = experiment.data.profile().input_shape[0]
        per_example = n_coalitions(n_inputs, getattr(method, "n_evaluations", 0)) * getattr(method, "n_background", 1)
        shuffled = min(MOST_SHUFFLED, self.but(n=1_000).n_there())
        return self.n_there() * per_example + shuffled * (self.n_repeats * len(self.columns()) + 1)

    def columns(self) -> tuple[Column, ...]:
        return columns_of(self.explained.experiment.data)

    def result(self, desk: Desk) -> Any:
        from core.explanation.global_view import global_view

        return global_view(self.many(desk), self.explained.explainer, self.columns(), self.n_repeats, self.tally(desk))


class GlobalMapsJob(ManyJob):
    """Where a method points in the images of each class, on the mean."""

    kind: Literal["global_maps"] = "global_maps"
    label: ClassVar[str] = "Mean maps"
    modalities: ClassVar[tuple[str, ...]] = ("image",)

    def evaluations(self) -> int:
        return self.n_there() * getattr(self.explained.explainer, "steps", 1)

    def result(self, desk: Desk) -> Any:
        from core.explanation.global_view import global_maps

        return global_maps(self.many(desk), self.explained.explainer, self.tally(desk))


class GlobalWordsJob(ManyJob):
    """What words do on the mean over many texts."""

    kind: Literal["global_words"] = "global_words"
    label: ClassVar[str] = "Words"
    modalities: ClassVar[tuple[str, ...]] = ("sequence",)

    def evaluations(self) -> int:
        method = self.explained.explainer
        if isinstance(method, ShapText):  # texts of up to 12 words are done exactly, by 4096 combinations at most
            return self.n_there() * max(method.n_evaluations, int(2 ** (EXACT_PLAYERS - 1)))
        return self.n_there() * int(getattr(method, "n_samples", getattr(method, "steps", 32)))

    def result(self, desk: Desk) -> Any:
        from core.explanation.global_view import global_words

        return global_words(self.many(desk), self.explained.explainer, self.tally(desk))


class PartialDependenceJob(ManyJob):
    """What the model says when one column is changed; the example in `explained` is drawn beside the others."""

    kind: Literal["partial_dependence"] = "partial_dependence"
    label: ClassVar[str] = "Partial dependence"
    modalities: ClassVar[tuple[str, ...]] = TABLES
    column: Annotated[int, Field(ge=0, le=9_999)] = 0
    """Which one."""
    n_grid: Annotated[int, Field(ge=5, le=200)] = 40
    """Values of a column of numbers."""

    def check(self, settings: Settings) -> None:
        """Also refuses a column that is not there."""
        super().check(settings)
        n_columns = len(columns_of(self.explained.experiment.data))
        if self.column >= n_columns:
            raise SpecError(f"There is no column {self.column}.", hint=f"Columns are numbered 0 to {n_columns - 1}.")

    def evaluations(self) -> int:
        return (self.n_there() + 1) * self.n_grid

    def result(self, desk: Desk) -> Any:
        from core.data.gallery import split_named
        from core.explanation.partial_dependence import partial_dependence

        many = self.many(desk)
        rows = many.splits.model_input(split_named(many.splits, self.split).x[many.indices])
        column = columns_of(self.explained.experiment.data)[self.column]
        return partial_dependence(many.subject, many.splits, column, rows, self.n_grid, desk.progress)
