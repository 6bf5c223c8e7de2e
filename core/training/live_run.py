"""The live objects of one training run, and what can be asked of them between two steps."""

import copy
import math
from collections.abc import Generator

import torch
from pydantic import TypeAdapter
from torch import nn

from core.data.augment import Augmenter
from core.data.dataset import Split, Splits
from core.data.plane import SPAN
from core.events import Artifact, EpochDone, HyperChanged, Progressed, SetHyper, Started, StepMeasured, SurfaceMeasured
from core.experiment.experiment import Experiment, Lane
from core.models.model import infer
from core.seeds import numpy_stream, stream_seed
from core.training.batches import ResidentData, epoch_order
from core.training.checkpoints import TrainingState, load_state, state_bytes
from core.training.device import device_name, fingerprint, resolved_device
from core.training.measures import Figures, chunk_size, evaluation
from core.training.pace import Stopwatch
from core.training.plane import SIDE, class_one_share, plane_inputs, predicted_share
from core.training.runner import Runner

SAMPLE = 2_000
"""Training examples that stand for the training split in each epoch's figures."""
LANES = TypeAdapter(tuple[Lane, ...])


class LiveRun:
    """Data, models and optimizers of one experiment, at one step."""

    def __init__(self, experiment: Experiment, splits: Splits, resume: bytes | None) -> None:
        state = load_state(resume) if resume else None
        if state:
            experiment = experiment.but(lanes=LANES.validate_json(state.lanes))
        self.experiment = experiment
        self.device = resolved_device(experiment.device)
        self.data = ResidentData(splits, splits.train, self.device)
        self.validation = ResidentData(splits, splits.validation, self.device)
        self.test = ResidentData(splits, splits.test, self.device) if len(splits.test) else None
        self.sample = ResidentData(splits, _sample(splits.train, experiment.seed), self.device)
        self.runners = [
            Runner(experiment, lane, repeat, self.device)
            for lane in range(len(experiment.lanes))
            for repeat in range(experiment.repeats)
        ]
        self.batch_size = experiment.batch(len(self.data))
        self.steps_per_epoch = math.ceil(len(self.data) / self.batch_size)
        self.profile = splits.profile
        self.chunk = chunk_size(infer(experiment.model, splits.profile.input_shape), self.device.type)
        self._augmenter = Augmenter(experiment.augmentation, splits.profile, splits.brightest)
        grid = plane_inputs(experiment.data, splits)
        self._plane = None if grid is None else torch.from_numpy(grid).to(self.device)
        self._target_unit = (splits.target_shift, splits.target_scale)
        self.step = state.step if state else 0
        self.watch = Stopwatch(state.elapsed_s if state else 0.0)
        self.has_reached_target = state.has_reached_target if state else False
        if state:
            self._restore(state)
        self._order_epoch = -1
        self._orders: list[torch.Tensor] = []
        self._candidate = self._good = copy.deepcopy(self._state())

    @property
    def is_plane(self) -> bool:
        """Whether there is a decision surface to show."""
        return self._plane is not None

    @property
    def epoch(self) -> int:
        """The epoch of the next step, from 1."""
        return self.step // self.steps_per_epoch + 1

    def advance(self, *, is_measured: bool = False) -> tuple[float, ...]:
        """One step of every series on the batch of its repeat; the batch losses, NaN for a series that has diverged."""
        if self._order_epoch != self.epoch:
            self._order_epoch = self.epoch
            seed, n = self.experiment.seed, len(self.data)
            self._orders = [epoch_order(n, seed, self.epoch, r).to(self.device) for r in range(self.experiment.repeats)]
        start = (self.step % self.steps_per_epoch) * self.batch_size
        batches = [self._batch(r, order[start : start + self.batch_size]) for r, order in enumerate(self._orders)]
        self.step += 1
        return tuple(
            runner.step(*batches[runner.repeat], self.step, is_measured=is_measured) if runner.is_alive else math.nan
            for runner in self.runners
        )

    def _batch(self, repeat: int, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Inputs and targets of one step of a repeat, augmented where the experiment says so; the same for all its lanes.

        The random numbers are a function of seed, repeat and step, so that a resumed run sees the very same images.
        """
        if not self.experiment.augmentation:
            return self.data.batch(indices)
        x, y = self.data.raw_batch(indices)
        seed = (stream_seed(self.experiment.seed, "augment", repeat) + self.step) % 2**63
        return self._augmenter.mixed(self.data.scaled(self._augmenter.pictures(x, seed)), y, seed)

    def measured(self) -> StepMeasured:
        """Statistics of the last step, which was made with `is_measured`."""
        return StepMeasured(
            self.step,
            tuple(runner.gradient_norm for runner in self.runners),
            tuple(runner.weight_norm for runner in self.runners),
            tuple(runner.accuracy for runner in self.runners),
        )

    def surfaces(self) -> tuple[SurfaceMeasured, ...]:
        """The decision surface of every series, where there is a plane."""
        if self._plane is None:
            return ()
        shift, scale = self._target_unit
        is_number = self.profile.task == "regression"
        return tuple(
            SurfaceMeasured(
                self.step,
                index,
                SIDE,
                SPAN,
                predicted_share(runner.model, self._plane, self.chunk, shift, scale)
                if is_number
                else class_one_share(runner.model, self._plane, self.chunk),
            )
            for index, runner in enumerate(self.runners)
        )

    def validated(self) -> Generator[Progressed, None, EpochDone]:
        """The figures at the end of an epoch."""
        train = yield from self._evaluation(self.sample)
        validation = yield from self._evaluation(self.validation)
        return EpochDone(self.step // self.steps_per_epoch, self.step, *train, *validation, self.watch.read())

    def note_target(self, epoch: EpochDone) -> None:
        """Remember, also over a resume, that every series has reached the target accuracy (or R²)."""
        target = self.experiment.budget.target_accuracy
        self.has_reached_target = target is not None and all(score >= target for score in epoch.validation_accuracy)

    def tested(self) -> Generator[Progressed, None, Figures | None]:
        """Mean loss and accuracy (or R²) of every series on the test split, or None where there is no such split."""
        if self.test is None:
            return None
        return (yield from self._evaluation(self.test))

    def set_hyper(self, change: SetHyper) -> HyperChanged:
        """Change one number of a lane; it holds from the next step on.

        Raises:
            SpecError: no such lane or number, or the value is out of its bounds.
        """
        changed = self.experiment.with_hyper(change.lane, change.name, change.value)
        old = getattr(self.experiment.lanes[change.lane].optimizer, change.name)
        self.experiment = changed
        for runner in self.runners:
            if runner.lane == change.lane:
                runner.set_hyper(change.name, change.value)
        return HyperChanged(self.step, change.lane, change.name, old, change.value)

    def learning_rates(self) -> tuple[float, ...]:
        """The present learning rate of every series."""
        return tuple(self.experiment.lanes[runner.lane].optimizer.lr for runner in self.runners)

    def started(self) -> Started:
        """What there is to say before the first step."""
        budget = self.experiment.budget
        ends = [end for end in (budget.steps, budget.epochs and budget.epochs * self.steps_per_epoch) if end]
        return Started(
            step=self.step,
            n_parameters=self.runners[0].n_parameters,
            n_train=len(self.data),
            n_validation=len(self.validation),
            n_test=len(self.test) if self.test else 0,
            steps_per_epoch=self.steps_per_epoch,
            total_steps=min(ends) if ends else None,
            device=device_name(self.device),
            series=self.experiment.series(),
            fingerprint=fingerprint(self.device, self.experiment.precision),
        )

    def checkpoint(self) -> Artifact:
        """The present state as an artifact."""
        return _artifact(self._state())

    def remember(self) -> None:
        """Keep a copy of the present state: the last good one, once a later step has a finite loss."""
        if all(math.isfinite(runner.weight_norm) for runner in self.runners if runner.is_alive):
            self._good, self._candidate = self._candidate, copy.deepcopy(self._state())

    def last_good(self) -> Artifact:
        """The newest remembered state that gave a finite loss."""
        return _artifact(self._good, "good")

    def _state(self) -> TrainingState:
        return TrainingState(
            self.step,
            self.watch.read(),
            LANES.dump_json(self.experiment.lanes).decode(),
            tuple(runner.model.state_dict() for runner in self.runners),
            tuple(runner.optimizer.state_dict() for runner in self.runners),
            tuple(runner.died_at for runner in self.runners),
            self.has_reached_target,
        )

    def _restore(self, state: TrainingState) -> None:
        for runner, model, optimizer in zip(self.runners, state.models, state.optimizers, strict=True):
            runner.model.load_state_dict(model)
            runner.optimizer.load_state_dict(optimizer)
        for runner, died_at in zip(self.runners, state.died_at, strict=True):
            runner.died_at = died_at

    def _evaluation(self, data: ResidentData) -> Generator[Progressed, None, Figures]:
        models: list[nn.Module] = [runner.model for runner in self.runners]
        return (yield from evaluation(models, self.runners[0].loss, data, self.chunk))


def _artifact(state: TrainingState, name: str = "step") -> Artifact:
    return Artifact(f"{name}-{state.step:09d}.safetensors", "checkpoint", state.step, state_bytes(state))


def _sample(split: Split, seed: int) -> Split:
    """A fixed random sample of a split, in the split's order."""
    if len(split) <= SAMPLE:
        return split
    chosen = numpy_stream(seed, "probe").choice(len(split), SAMPLE, replace=False)
    chosen.sort()
    return Split(split.x[chosen], split.y[chosen])
