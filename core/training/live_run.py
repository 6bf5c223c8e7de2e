"""The live objects of one training run, and what can be asked of them between two steps."""

import copy
import math
from collections.abc import Generator, Sequence

import torch
from torch import nn

from core.data.dataset import Split, Splits
from core.data.plane import SPAN
from core.events import Artifact, EpochDone, Progressed, Started, StepMeasured, SurfaceMeasured
from core.experiment.experiment import Experiment
from core.models.model import infer
from core.optim.regularizers import average_of
from core.optim.schedules import Clock
from core.seeds import numpy_stream
from core.settings import Settings
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.beginnings import LANES, Beginnings, task_of
from core.training.checkpoints import EMPTY, State, TrainingState, load_state, state_artifact
from core.training.device import device_name, fingerprint, resolved_device
from core.training.epoch_memory import EpochMemory
from core.training.executors.batched import is_small_and_plain
from core.training.executors.executor import Series
from core.training.executors.reference import total_norm
from core.training.many import ManyNetworks
from core.training.measures import Figures, chunk_size, evaluation
from core.training.pace import Stopwatch
from core.training.plane import SIDE, plane_inputs, plane_outputs, share
from core.training.team import Row, Team

SAMPLE = 2_000
"""Training examples that stand for the training split in each epoch's figures."""
MAX_SURFACES = 16
"""With more series than these, decision surfaces are shown of the first repeat alone."""
FEW = 4
"""From so many networks on it is faster to look at all of them at once."""


class LiveRun:
    """Data, models and optimizers of one experiment, at one step."""

    def __init__(
        self,
        experiment: Experiment,
        splits: Splits,
        resume: bytes | None,
        settings: Settings | None = None,
        origin: bytes | None = None,
    ) -> None:
        state = load_state(resume) if resume else None
        if state:
            experiment = experiment.but(lanes=LANES.validate_json(state.lanes))
        self.experiment = experiment
        self.settings = settings or Settings()
        self.device = resolved_device(experiment.device)
        self.data = ResidentData(splits, splits.train, self.device)
        self.validation = ResidentData(splits, splits.validation, self.device)
        self.test = ResidentData(splits, splits.test, self.device) if len(splits.test) else None
        self.sample = ResidentData(splits, _sample(splits.train, experiment.seed), self.device)
        self.source = RunBatches(experiment, splits, self.data)
        self.steps_per_epoch = self.source.steps_per_epoch
        self.loss: nn.Module = experiment.loss.build().to(self.device)
        self.profile = splits.profile
        self.chunk = chunk_size(infer(experiment.model, splits.profile.input_shape), self.device.type)
        grid = plane_inputs(experiment.data, splits)
        self._plane = None if grid is None else torch.from_numpy(grid).to(self.device)
        self._is_small = is_small_and_plain(experiment)
        self._many: ManyNetworks | None = None
        self._many_of: tuple[int, tuple[int, ...]] = (-1, ())
        self._target_unit = (splits.target_shift, splits.target_scale)
        self.step = state.step if state else 0
        self.watch = Stopwatch(state.elapsed_s if state else 0.0)
        self.has_reached_target = state.has_reached_target if state else False
        self.n_prescribed = state.n_prescribed if state else 0
        self.beginnings = Beginnings(experiment, splits.profile.input_shape, self.device, origin)
        self.series = [one for lane in range(len(experiment.lanes)) for one in self.new_series(lane)]
        if state:
            self._restore(state)
        known = dict(enumerate(state.optimizers)) if state else self.beginnings.hand_over(self.series)
        self.team = Team(experiment, self.series, self.device, self.settings, known)
        self._candidate = self._good = copy.deepcopy(self._state())
        self.watch = Stopwatch(self.watch.banked_s)  # what was done up to here was no training

    def new_series(self, lane: int) -> list[Series]:
        """The series of a lane, one per repeat, with the weights that all lanes begin with."""
        experiment = self.experiment
        made = []
        for repeat in range(experiment.repeats):
            model = self.beginnings.model(repeat)
            made.append(
                Series(
                    index=lane * experiment.repeats + repeat,
                    lane_index=lane,
                    repeat=repeat,
                    lane=experiment.lanes[lane],
                    model=model,
                    clock=Clock(self.steps_per_epoch, self.total_steps),
                )
            )
        for one in made:
            if average_of(one.lane.regularizers) is not None:
                one.average = copy.deepcopy(one.model).requires_grad_(requires_grad=False)
        return made

    @property
    def total_steps(self) -> int | None:
        """How many steps the budget allows, as far as it is known before."""
        budget = self.experiment.budget
        ends = [end for end in (budget.steps, budget.epochs and budget.epochs * self.steps_per_epoch) if end]
        return min(ends) if ends else None

    @property
    def is_alive(self) -> bool:
        """Whether any series is still trained."""
        return any(one.is_alive for one in self.series)

    @property
    def is_plane(self) -> bool:
        """Whether there is a decision surface to show."""
        return self._plane is not None

    def plan(self, states: dict[int, State]) -> None:
        """Give the living series to executors; what is known of their optimizers, by index of the series, is taken over."""
        self.team.close()
        self.team = Team(self.experiment, self.series, self.device, self.settings, states)

    def advance(self, n: int = 1, *, is_measured: bool = False) -> list[Row]:
        """Some steps of every series on the batches of its repeat; for each the batch losses, NaN for one that rests."""
        rows = self.team.steps(self.source, self.step + 1, n, is_measured=is_measured)
        self.step += n
        return rows

    def measured(self) -> tuple[StepMeasured, float]:
        """Statistics of the last step, which was made with `is_measured`, and what they cost in seconds."""
        found = self.team.measures()
        event = StepMeasured(
            self.step,
            tuple(one.gradient_norm for one in found),
            tuple(one.weight_norm for one in found),
            tuple(one.accuracy for one in found),
            tuple(one.update_norm for one in found),
        )
        return event, sum(one.cost_s for one in found)

    def surfaces(self) -> tuple[SurfaceMeasured, ...]:
        """The decision surface of every series that is trained, where there is a plane."""
        if self._plane is None:
            return ()
        is_few = len(self.series) <= MAX_SURFACES
        shown = [one for one in self.series if not one.is_removed and (is_few or one.repeat == 0)]
        outputs = plane_outputs([one.evaluated for one in shown], self._plane, self.chunk, together=self._together(shown))
        unit = self._target_unit if self.profile.task == "regression" else None
        pairs = zip(shown, outputs, strict=True)
        return tuple(SurfaceMeasured(self.step, one.index, SIDE, SPAN, share(one.model, output, unit)) for one, output in pairs)

    def validated(self) -> Generator[Progressed, None, EpochDone]:
        """The figures at the end of an epoch."""
        train = yield from self.figures(self.sample, self.series)
        validation = yield from self.figures(self.validation, self.series)
        return EpochDone(self.step // self.steps_per_epoch, self.step, *train, *validation, self.watch.read())

    def tested(self) -> Generator[Progressed, None, Figures | None]:
        """Mean loss and accuracy (or R²) of every series on the test split, or None where there is no such split."""
        if self.test is None:
            return None
        return (yield from self.figures(self.test, self.series))

    def figures(
        self, data: ResidentData, series: Sequence[Series], step: int | None = None
    ) -> Generator[Progressed, None, Figures]:
        """Mean loss and score of some series over all of `data`; NaN for lanes that were removed.

        Args:
            step: the step that they have come to, where it is not the run's.
        """
        shown = [one for one in series if not one.is_removed]
        models = [one.evaluated for one in shown]
        losses, scores = yield from evaluation(models, self.loss, data, self.chunk, together=self._together(shown, step))
        by_index = {one.index: pair for one, *pair in zip(shown, losses, scores, strict=True)}
        pairs = [by_index.get(one.index, [math.nan, math.nan]) for one in series]
        return tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)

    def _together(self, series: Sequence[Series], step: int | None = None) -> ManyNetworks | None:
        """The networks of several series as one, with their present weights; None where they are few, large or complicated."""
        if not self._is_small or len(series) < FEW:
            return None
        wanted = (self.step if step is None else step, tuple(one.index for one in series))
        models = [one.evaluated for one in series]
        if self._many is None or self._many.n != len(models):
            self._many = ManyNetworks(models)
        elif self._many_of != wanted:
            self._many.take(models)
        self._many_of = wanted
        return self._many

    def learning_rates(self) -> tuple[float, ...]:
        """The learning rate of the last step of every series."""
        return tuple(one.rate(max(1, self.step)) for one in self.series)

    def started(self) -> Started:
        """What there is to say before the first step."""
        parameters = [one for one in self.series[0].model.parameters() if one.requires_grad]
        return Started(
            step=self.step,
            n_parameters=sum(parameter.numel() for parameter in parameters),
            n_train=len(self.data),
            n_validation=len(self.validation),
            n_test=len(self.test) if self.test else 0,
            steps_per_epoch=self.steps_per_epoch,
            total_steps=self.total_steps,
            device=device_name(self.device),
            series=self.experiment.series(),
            fingerprint=fingerprint(self.device, self.experiment.precision) | {"executor": self._executor_names()},
            lanes=self.experiment.lane_names(),
            repeats=self.experiment.repeats,
        )

    def _executor_names(self) -> str:
        return ", ".join(sorted({executor.name for executor in self.team.executors}))

    def checkpoint(self, name: str = "step") -> Artifact:
        """The present state as an artifact."""
        return state_artifact(self._state(), name)

    def remember(self) -> None:
        """Keep a copy of the present state: the last good one, once a later step has a finite loss."""
        norms = (total_norm(one.model.parameters()) for one in self.series if one.is_alive)
        if all(math.isfinite(norm) for norm in norms):
            self._good, self._candidate = self._candidate, copy.deepcopy(self._state())

    def last_good(self) -> Artifact:
        """The newest remembered state that gave a finite loss."""
        return state_artifact(self._good, "good")

    def _state(self) -> TrainingState:
        states = self.team.optimizer_states()
        return TrainingState(
            self.step,
            self.watch.read(),
            LANES.dump_json(self.experiment.lanes).decode(),
            tuple(one.model.state_dict() for one in self.series),
            tuple(states[one.index] or EMPTY for one in self.series),
            tuple(one.died_at for one in self.series),
            self.has_reached_target,
            tuple(sorted({one.lane_index for one in self.series if one.is_removed})),
            tuple(one.memory.numbers() for one in self.series),
            self.n_prescribed,
            tuple(one.average.state_dict() if one.average else {} for one in self.series),
            self.experiment.frozen,
            task_of(self.experiment),
        )

    def close(self) -> None:
        """Let go of processes."""
        self.team.close()

    def note_epoch(self, epoch: EpochDone) -> None:
        """Remember, also over a resume, what target, patience and plateau look at."""
        budget, alive = self.experiment.budget, [one for one in self.series if one.is_alive]
        target = budget.target_accuracy
        self.has_reached_target = target is not None and all(epoch.validation_accuracy[one.index] >= target for one in alive)
        for one in alive:
            one.remember(one.memory.after(epoch.epoch, epoch.validation_loss[one.index], one.lane.schedule))

    def is_out_of_patience(self) -> bool:
        """Whether no living lane has improved its validation loss for as many epochs as the budget allows."""
        patience, epoch = self.experiment.budget.patience, self.step // self.steps_per_epoch
        if patience is None or epoch <= patience:
            return False
        return all(epoch - one.memory.best_epoch >= patience for one in self.series if one.is_alive)

    def _restore(self, state: TrainingState) -> None:
        for one, model, average in zip(self.series, state.models, state.averages, strict=True):
            one.model.load_state_dict(model)
            if one.average and average:
                one.average.load_state_dict(average)
        for one, died_at in zip(self.series, state.died_at, strict=True):
            one.died_at = died_at
            if state.memories:
                one.remember(EpochMemory.of(state.memories[one.index]))
            one.is_removed = one.lane_index in state.removed


def _sample(split: Split, seed: int) -> Split:
    """A fixed random sample of a split, in the split's order."""
    if len(split) <= SAMPLE:
        return split
    chosen = numpy_stream(seed, "probe").choice(len(split), SAMPLE, replace=False)
    chosen.sort()
    return Split(split.x[chosen], split.y[chosen])
