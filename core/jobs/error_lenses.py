"""The jobs behind the errors of a model: confusion over time, slices, disturbed inputs, and some examples to look at."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import Splits
from core.data.disturbance import AnyDisturbance, PixelNoise
from core.data.gallery import SplitName, gallery_at, split_named
from core.data.menu import AnyDataset
from core.data.plane import Plane
from core.errors import NotApplicable, SpecError
from core.jobs.evaluation_lenses import SplitJob
from core.jobs.job import ArtifactRef, Desk
from core.jobs.lenses import SPLITS, Chosen, LensJob, Seed, WeightsJob, loaded
from core.jobs.plane_lenses import thinned
from core.seeds import numpy_stream
from core.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from core.evaluation.robustness import Undisturbed

MAX_MOMENTS = 24
"""Checkpoints whose confusion matrix is counted."""
MAX_NUMBERS = 50_000_000
"""Numbers of all inputs that are disturbed at once (200 MB)."""
MAX_ANSWERS = 240_000
"""Examples times moments: of a large split, some are counted at every moment."""


class ConfusionOverTimeJob(SplitJob):
    """The confusion matrix of a split at several kept moments."""

    kind: Literal["confusion_over_time"] = "confusion_over_time"
    label = "Confusion matrix over time"
    checkpoints: Annotated[tuple[ArtifactRef, ...], Field(min_length=1, max_length=2_000)]
    """Of one run, in order of steps."""

    def check(self, settings: Settings) -> None:
        """Refuses data without classes."""
        super().check(settings)
        if self.experiment.data.profile().task == "regression":
            raise NotApplicable("Numbers have no confusion matrix.", hint="Look at the examples that are furthest off.")

    def result(self, desk: Desk) -> Any:
        from core.evaluation.confusion import confusion_over_time

        splits = loaded(self.experiment.data, self.experiment.seed)
        refs = thinned(self.checkpoints, MAX_MOMENTS)
        chosen = some_places(len(split_named(splits, self.split)), MAX_ANSWERS // len(refs), self.experiment.seed)
        return confusion_over_time(self._models(desk, refs), splits, self.split, chosen, len(self.checkpoints))

    def _models(self, desk: Desk, refs: tuple[ArtifactRef, ...]) -> "Iterator[tuple[nn.Module, int]]":
        """The model at every moment; a lane that joined later has none before."""
        from core.training.checkpoints import load_state

        for done, ref in enumerate(refs):
            desk.progress(done, len(refs))
            if self.series < len(load_state(desk.artifact(ref)).models):
                yield self.but(weights=ref).model(desk)


def some_places(n: int, most: int, seed: int) -> np.ndarray:
    """At most `most` of n places, the same ones for every look, sorted int64."""
    chosen: np.ndarray = np.sort(numpy_stream(seed, "probe").permutation(n)[:most])
    return chosen


class SlicesJob(SplitJob):
    """The score on parts of a split: by class, by a feature, by brightness, by length."""

    kind: Literal["slices"] = "slices"
    label = "Slices"

    def result(self, desk: Desk) -> Any:
        from core.evaluation.predictions import predictions
        from core.evaluation.slices import slices

        model, step = self.model(desk)
        data, seed = self.experiment.data, self.experiment.seed
        splits = loaded(data, seed)
        found = predictions(model, splits, self.split, step, desk.progress)
        places = data.places(seed, SPLITS.index(self.split)) if isinstance(data, Plane) else None
        return slices(found, splits, self.split, places)


class _DisturbedJob(WeightsJob):
    """What a disturbance does to a model."""

    disturbance: AnyDisturbance = PixelNoise()
    n_strengths: Annotated[int, Field(ge=2, le=21)] = 7
    """From 0 to the strongest, evenly spread."""
    luck: Seed = 0
    """Seed of what is random in the disturbance."""

    def check(self, settings: Settings) -> None:
        """Refuses what cannot be done to these data."""
        super().check(settings)
        data = self.experiment.data
        if reason := self.disturbance.reason_against(data.original_profile(), data.profile()):
            raise NotApplicable(reason, hint="Choose another disturbance.")

    @property
    def strengths(self) -> np.ndarray:
        """(S,) float64, the first of them 0."""
        return np.linspace(0, self.disturbance.strongest, self.n_strengths)


class RobustnessJob(_DisturbedJob):
    """Accuracy against the strength of a disturbance."""

    kind: Literal["robustness"] = "robustness"
    label: ClassVar[str] = "Robustness"
    split: SplitName = "test"
    n_examples: Annotated[int, Field(ge=10, le=5_000)] = 500
    """At most so many of the split, picked by the experiment's seed; fewer where they are large."""

    def result(self, desk: Desk) -> Any:
        from core.evaluation.robustness import robustness

        model, step = self.model(desk)
        splits = loaded(self.experiment.data, self.experiment.seed)
        n, size = len(split_named(splits, self.split)), int(np.prod(splits.profile.input_shape))
        most = min(self.n_examples, max(10, MAX_NUMBERS // size))
        given = self._given(splits, some_places(n, most, self.experiment.seed))
        found = robustness(model, given, self.disturbance, self.strengths, self.luck, desk.progress)
        return replace(found, split=self.split, step=step, n_in_split=n)

    def _given(self, splits: Splits, chosen: np.ndarray) -> "Undisturbed":
        from core.evaluation.robustness import undisturbed
        from core.evaluation.slices import originals_of

        data, seed = self.experiment.data, self.experiment.seed
        part = split_named(splits, self.split)
        if isinstance(data, Plane):
            original = data.places(seed, SPLITS.index(self.split))
        else:
            original = originals_of(splits, self.split)[0].x
        return undisturbed(splits, data, seed, splits.model_input(part.x[chosen]), part.y[chosen], original[chosen])


class DisturbedExampleJob(_DisturbedJob):
    """One example under a growing disturbance, and what the model says of it."""

    kind: Literal["disturbed_example"] = "disturbed_example"
    label: ClassVar[str] = "Disturbed example"

    def result(self, desk: Desk) -> Any:
        from core.evaluation.robustness import answers, disturbed_example, undisturbed

        model, _step = self.model(desk)
        chosen = self.chosen(desk)
        splits, shown = chosen.splits, chosen.example
        data, seed = self.experiment.data, self.experiment.seed
        if shown.target is not None:
            y = np.array([(shown.target - splits.target_shift) / splits.target_scale], np.float32)
        else:
            label = shown.label if shown.label >= 0 else int(answers(model, splits, shown.x).argmax())
            y = np.array([label], np.int64)
        given = undisturbed(splits, data, seed, shown.x, y, self._original(chosen))
        found = disturbed_example(model, given, self.disturbance, self.strengths, self.luck)
        return replace(found, label=shown.label)

    def _original(self, chosen: Chosen) -> np.ndarray:
        """The example before any preparation, (1, *shape)."""
        shown, splits = chosen.example, chosen.splits
        if shown.pixels is not None:
            pixels = shown.pixels[None] if shown.pixels.ndim == 2 else shown.pixels.transpose(2, 0, 1)
            original: np.ndarray = pixels[None].astype(np.float32) * np.float32(splits.brightest / 255)
            return original
        return shown.x if shown.raw is None else shown.raw[None]


class ExamplesJob(LensJob):
    """The examples at some places of a split."""

    kind: Literal["examples_at"] = "examples_at"
    label: ClassVar[str] = "Chosen examples"
    data: AnyDataset
    seed: Seed = 0
    split: SplitName = "validation"
    places: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, max_length=200)]

    def check(self, settings: Settings) -> None:
        """Refuses places that the split has not."""
        n = self.data.profile().n_in(self.split)
        if max(self.places) >= n:
            raise SpecError(
                f"There is no example {max(self.places):,} in the {self.split} split, it has {n:,}.",
                hint=f"Choose examples from 0 to {n - 1:,}.",
            )

    def result(self, desk: Desk) -> Any:
        return gallery_at(loaded(self.data, self.seed), self.split, np.array(self.places, np.int64))
