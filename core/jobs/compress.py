"""The jobs that make a model smaller, and say what that costs."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from core.compression.choice import Compressed, Material, Plan
from core.compression.distillation import Distillation
from core.compression.measure import Score, counts, file_bytes, zero_shares
from core.compression.menu import AnyCompression
from core.compression.pruning import MagnitudePruning, RandomPruning, StructuredPruning
from core.data.dataset import Splits
from core.data.gallery import SplitName, split_named
from core.errors import NotApplicable, SpecError
from core.evaluation.predictions import predictions
from core.events import Artifact, Progressed
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.jobs.compress_events import as_training
from core.jobs.compress_report import Reported, report_of, scored
from core.jobs.job import Desk, Stream
from core.jobs.lenses import RESULT, Seed, loaded
from core.jobs.long_lens import LongLensJob
from core.metrics.statistics import mean_estimate
from core.models.estimate import epoch_seconds, forward_seconds
from core.models.model import ModelSpec, infer
from core.results.codec import result_bytes
from core.results.pruning_sweep import PruningSweep
from core.settings import Settings

if TYPE_CHECKING:
    from torch import nn

FILE = "compressed.safetensors"
"""The tensors of a compressed model as they would be shipped: int8 where it is int8."""
PrunerName = Literal["magnitude", "structured", "random"]
Points = Annotated[tuple[Annotated[float, Field(ge=0, le=0.99)], ...], Field(min_length=2, max_length=40)]
SPARSITIES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99)
MEASURING = 100
"""Parts of the work that come after the training, as its progress counts them."""
MEASURED_S = 4.0
"""About what measuring the times takes, and loading the data."""


class CompressJob(LongLensJob):
    """A smaller model out of a trained one, with a report of size, speed and accuracy. Its weights are kept as a checkpoint."""

    kind: Literal["compress"] = "compress"
    label = "Compression"
    compression: AnyCompression = MagnitudePruning()
    student: ModelSpec | None = None
    """Distillation: the stack that learns; None for the same one, narrower."""
    split: SplitName = "validation"
    """Where it is measured."""
    seed: Seed = 0

    def plan(self) -> Plan:
        """What will be done to the stack.

        Raises:
            NotApplicable: nothing can be.
        """
        model, shape = self.experiment.model, self.experiment.data.profile().input_shape
        if self.student is not None and isinstance(self.compression, Distillation):
            return Plan(self.student.but(weights=""), tuple((index,) for index in range(len(self.student.layers))))
        return self.compression.plan(model, shape)

    def trained(self) -> Experiment:
        """The experiment that the kept weights belong to: one lane, one seed, the smaller stack."""
        lane, experiment = self.series // self.experiment.repeats, self.experiment
        model = self.plan().model.but(weights="")
        is_same = len(model.layers) == len(experiment.model.layers) and self.student is None
        frozen = experiment.frozen if is_same else ()
        lanes = (experiment.lanes[lane],)
        return experiment.but(model=model, lanes=lanes, repeats=1, changes=(), origin=None, frozen=frozen)

    def check(self, settings: Settings) -> None:
        """Refuses a compression that does not apply, and a smaller stack that does not fit the data."""
        super().check(settings)
        if self.student is None:
            profile = self.experiment.data.profile()
            if reason := self.compression.reason_against(profile, self.experiment.model):
                raise NotApplicable(reason, hint="Choose another way to make it smaller.")
        if isinstance(self.compression, Distillation):
            checked(self.trained(), settings)

    def expected_s(self) -> float:
        return self.seconds

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        experiment, profile = self.experiment, self.experiment.data.profile()
        inference = infer(experiment.model, profile.input_shape)
        once = epoch_seconds(inference, profile.n_train, experiment.batch(profile.n_train), 0)
        looks = 3 * forward_seconds(inference, profile.n_validation)
        return (
            self.compression.n_epochs * once * (1.4 if isinstance(self.compression, Distillation) else 1) + looks + MEASURED_S
        )

    def stream(self, desk: Desk) -> Stream:
        """Progress, its figures as those of a training run, its weights as a checkpoint and as a file, the report, the end."""
        from core.training.checkpoints import EMPTY, TrainingState, state_artifact

        yield Progressed(0, 1)
        began = time.monotonic()
        original, step = self.model(desk)
        splits = loaded(self.experiment.data, self.experiment.seed)
        made = self.made(original, splits, desk)
        step = self._n_steps(splits) + (0 if isinstance(self.compression, Distillation) else step)
        about = Reported(self.experiment.model, self.plan().model, self.split, self.compression.kind, step, self.seed)
        report = report_of(about, original, made, splits, self._measuring(splits, desk))
        if made.losses:
            report = replace(report, loss_unit=self.experiment.loss.unit)
        trained = self.trained()
        begun, epoch, end = as_training(trained, made.module, splits, step, time.monotonic() - began)
        yield begun
        yield epoch
        lanes = f"[{trained.lanes[0].model_dump_json()}]"
        state = TrainingState(step, 0.0, lanes, (made.shown.state_dict(),), (EMPTY,), (-1,), memories=((),), averages=({},))
        yield state_artifact(state, "compressed")
        yield Artifact(FILE, "result", step, file_bytes(made.stored))
        yield Artifact(RESULT, "result", step, result_bytes(report))
        yield end

    def made(self, original: "nn.Sequential", splits: Splits, desk: Desk) -> Compressed:
        """The compressed model; the original stays as it is."""
        n_steps = self._n_steps(splits)
        material = material_of(self, original, splits, lambda done, total: desk.progress(done, max(total, n_steps) + MEASURING))
        if isinstance(self.compression, Distillation):
            return self.compression.distilled(material, self.plan().model)
        return self.compression.compressed(material)

    def _n_steps(self, splits: Splits) -> int:
        """Steps of training."""
        n_train = len(splits.train)
        return self.compression.n_epochs * math.ceil(n_train / self.experiment.batch(n_train))

    def _measuring(self, splits: Splits, desk: Desk) -> Callable[[int, int], None]:
        """Progress of what comes after the training."""
        n_steps = self._n_steps(splits)
        return lambda done, total: desk.progress(n_steps + MEASURING * done // max(1, total), n_steps + MEASURING)


class PruningSweepJob(LongLensJob):
    """Accuracy against sparsity, without further training."""

    kind: Literal["pruning_sweep"] = "pruning_sweep"
    label = "Pruning sweep"
    methods: Annotated[tuple[PrunerName, ...], Field(min_length=1, max_length=3)] = ("magnitude", "structured", "random")
    sparsities: Points = SPARSITIES
    scope: Literal["whole model", "each layer"] = "whole model"
    """Of the methods for single weights."""
    draws: Annotated[int, Field(ge=1, le=20)] = 5
    """Lots that random pruning draws at each sparsity."""
    split: SplitName = "validation"
    seed: Seed = 0

    def check(self, settings: Settings) -> None:
        """Refuses methods that do not apply."""
        super().check(settings)
        if len(set(self.methods)) < len(self.methods) or list(self.sparsities) != sorted(set(self.sparsities)):
            raise SpecError("Each method can be there once, and sparsities must rise.", hint="Remove what is there twice.")
        for name in self.methods:
            if reason := self.reason_against(name):
                raise NotApplicable(reason, hint="Choose other methods.")

    def reason_against(self, name: PrunerName) -> str | None:
        """Why a method does not apply here; None when it does."""
        return self.pruning(name, 0.5).reason_against(self.experiment.data.profile(), self.experiment.model)

    def pruning(
        self, name: PrunerName, sparsity: float, draw: int = 0
    ) -> "MagnitudePruning | StructuredPruning | RandomPruning":
        """One point of the sweep."""
        if name == "structured":
            return StructuredPruning(sparsity=sparsity)
        if name == "random":
            return RandomPruning(sparsity=sparsity, scope=self.scope, draw=draw)
        return MagnitudePruning(sparsity=sparsity, scope=self.scope)

    @property
    def n_points(self) -> int:
        """Models that are made and looked at."""
        return len(self.sparsities) * sum(self.n_draws(name) for name in self.methods)

    def n_draws(self, name: PrunerName) -> int:
        """How often a method is tried at each sparsity."""
        return self.draws if name == "random" else 1

    def expected_s(self) -> float:
        return self.seconds

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        profile = self.experiment.data.profile()
        inference = infer(self.experiment.model, profile.input_shape)
        return (self.n_points + 1) * (forward_seconds(inference, profile.n_in(self.split)) + 0.01)

    def result(self, desk: Desk) -> PruningSweep:
        original, _ = self.model(desk)
        splits = loaded(self.experiment.data, self.experiment.seed)
        shape = (len(self.methods), len(self.sparsities))
        scores = np.full((*shape, max(map(self.n_draws, self.methods))), np.nan)
        low, high, zeros, parameters = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64)
        before = scored(predictions(original, splits, self.split), self.seed)
        n_weights = sum(n for _, n, _ in zero_shares(self.experiment.model, original))
        done = 0
        for row, name in enumerate(self.methods):
            for column, sparsity in enumerate(self.sparsities):
                found: list[Score] = []
                for draw in range(self.n_draws(name)):
                    desk.progress(done, self.n_points)
                    pruning, done = self.pruning(name, sparsity, draw), done + 1
                    module = pruning.compressed(material_of(self, original, splits, desk.progress)).module
                    found.append(scored(predictions(module, splits, self.split), self.seed))
                left = zero_shares(pruning.plan(self.experiment.model, splits.profile.input_shape).model, module)
                scores[row, column, : len(found)] = [one.value for one in found]
                low[row, column], high[row, column] = _ends(found)
                zeros[row, column] = 1 - sum(n - none for _, n, none in left) / n_weights
                parameters[row, column] = counts(module)[0]
        return PruningSweep(
            self.methods,
            np.array(self.sparsities),
            scores,
            low,
            high,
            zeros,
            parameters,
            np.array([before.value, before.low, before.high]),
            self.split,
            len(split_named(splits, self.split)),
            splits.profile.task == "classification",
        )


def _ends(found: list[Score]) -> tuple[float, float]:
    """The interval of one draw over examples; of several draws that of their mean over draws."""
    if len(found) == 1:
        return found[0].low, found[0].high
    over = mean_estimate([one.value for one in found])
    return over.low, over.high


def material_of(
    job: "CompressJob | PruningSweepJob", original: "nn.Sequential", splits: Splits, progress: Callable[[int, int], None]
) -> Material:
    """A copy of the trained model with what a compression needs besides."""
    experiment = job.experiment
    lane = experiment.lanes[job.series // experiment.repeats]
    batch, module = experiment.batch(len(splits.train)), copy.deepcopy(original)
    return Material(
        experiment.model, module, splits, experiment.loss, lane.optimizer, batch, job.seed, progress, experiment.frozen
    )
