"""K-fold cross-validation: the experiment trained once per fold, each time judged by the examples that were held out."""

import math
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import torch

from core.data.dataset import Splits
from core.data.folds import fold_numbers, folds, pooled
from core.errors import SpecError
from core.events import Artifact, EpochDone, Failed, Finished, StepsDone
from core.experiment.check import checked, has_lonely_batch
from core.experiment.experiment import Experiment
from core.experiment.fold_plan import fold_experiment, fold_steps
from core.models.model import build, infer
from core.models.output import predicted_classes, predicted_numbers
from core.results.cross_validation import CrossValidation
from core.settings import Settings
from core.training.checkpoints import load_weights
from core.training.loop import train
from core.training.measures import chunk_size
from core.types import Report

PARTS = 1_000
"""Units of progress of a fold that only a time ends."""


def cross_validation(
    experiment: Experiment,
    k: int,
    *,
    original: Splits | None = None,
    settings: Settings | None = None,
    report: Report = lambda done, total: None,
) -> CrossValidation:
    """Train every lane of the experiment in each of k folds, from the same initial weights, and look at what was held out.

    Folds are those of scikit-learn for the experiment's seed, over training and validation split; the test split stays out.
    Preparation is fitted on each fold's training part alone. A fold is an ordinary run of `core.training.loop.train`.

    Args:
        original: the data before their preparation, where the caller has them already.
        report: called often with (steps done, steps in all) over all folds; what it raises ends the work.

    Raises:
        SpecError: the experiment cannot run, or the data cannot be divided so.
    """
    with torch.random.fork_rng(devices=()):  # dropout seeds the global generator step by step
        return _validated(experiment, k, original, settings or Settings(), report)


def _validated(experiment: Experiment, k: int, original: Splits | None, settings: Settings, report: Report) -> CrossValidation:
    """As `cross_validation`."""
    plain = checked(fold_experiment(experiment), settings)
    report(0, 1)
    original = original or plain.data.original(plain.seed)
    profile = original.profile
    pool = pooled(original)
    numbers = fold_numbers(pool.y, k, plain.seed, profile.class_names)
    sizes = np.bincount(numbers, minlength=k)
    for n_held_out in sizes:
        _refuse_lonely_batch(plain, len(pool) - int(n_held_out))
    progress = _Progress([fold_steps(plain, len(pool) - int(n)) or PARTS for n in sizes], plain.budget.seconds, report)
    is_classes = profile.task == "classification"
    predicted = np.full((len(plain.lanes), len(pool)), -1, np.int64)
    values = np.full((len(plain.lanes), len(pool)), np.nan)
    ran = []
    for fold, splits in enumerate(folds(original, numbers, plain.data.preparation, plain.seed)):
        ran.append(_trained(plain, splits, settings, progress))
        said = _said(plain, splits, ran[-1], progress)
        (predicted if is_classes else values)[:, numbers == fold] = said
        progress.close_fold()
    n_epochs = max(len(one.epochs) for one in ran)
    return CrossValidation(
        k=k,
        seed=plain.seed,
        lanes=plain.lane_names(),
        class_names=profile.class_names,
        loss_unit=plain.loss.unit,
        epochs=np.arange(1, n_epochs + 1),
        train_loss=_curves(ran, n_epochs, "train_loss"),
        validation_loss=_curves(ran, n_epochs, "validation_loss"),
        validation_score=_curves(ran, n_epochs, "validation_accuracy"),
        last_loss=np.array([one.last_loss for one in ran]).T,
        last_score=np.array([one.last_score for one in ran]).T,
        fold_of=numbers,
        labels=pool.y.astype(np.int64) if is_classes else np.full(len(pool), -1),
        predicted=predicted,
        targets=np.full(len(pool), np.nan) if is_classes else pool.y.astype(np.float64),
        values=values,
        n_train=len(pool) - sizes,
        n_held_out=sizes,
        steps=np.array([one.steps for one in ran]),
        seconds=np.array([one.seconds for one in ran]),
        notes=_notes(experiment, original),
    )


@dataclass(slots=True)
class _Ran:
    """One fold. Figures per lane; NaN where it diverged."""

    last_loss: np.ndarray
    last_score: np.ndarray
    is_alive: np.ndarray
    epochs: list[EpochDone] = field(default_factory=list)
    weights: bytes = b""
    """The newest checkpoint."""
    steps: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class _Progress:
    """Counts steps over all folds."""

    totals: list[int]
    """Steps of each fold, at most."""
    limit_s: float | None
    """Seconds that a fold may take."""
    report: Report
    fold: int = 0
    share: float = 0.0
    """Of the present fold, in [0, 1]."""

    def at(self, step: int, elapsed_s: float) -> None:
        by_time = elapsed_s / self.limit_s if self.limit_s else 0.0
        self.share = min(1.0, max(step / self.totals[self.fold], by_time))
        self.tell()

    def close_fold(self) -> None:
        """The fold is over, whether all its steps were needed or not."""
        self.share = 1.0
        self.tell()
        self.fold, self.share = self.fold + 1, 0.0

    def tell(self) -> None:
        """A moment at which the work can be ended."""
        self.report(sum(self.totals[: self.fold]) + int(self.share * self.totals[self.fold]), sum(self.totals))


def _trained(plain: Experiment, splits: Splits, settings: Settings, progress: _Progress) -> _Ran:
    """One fold, as `train` tells it."""
    n, newest = len(plain.lanes), 0
    ran = _Ran(np.full(n, np.nan), np.full(n, np.nan), np.ones(n, bool))
    with closing(train(plain, splits=splits, settings=settings)) as events:
        for event in events:
            match event:
                case StepsDone():
                    ran.is_alive &= np.array([math.isfinite(losses[-1]) for losses in event.losses])
                    ran.steps = event.first_step + len(event.losses[0]) - 1
                    ran.seconds = event.elapsed_s
                    progress.at(ran.steps, event.elapsed_s)
                case EpochDone():
                    ran.epochs.append(event)
                case Artifact(kind="checkpoint") if event.step >= newest:
                    ran.weights, newest = event.data, event.step
                case Finished(test_loss=losses, test_accuracy=scores) if losses is not None and scores is not None:
                    ran.last_loss, ran.last_score = np.array(losses), np.array(scores)
                case Failed(code="diverged"):
                    ran.is_alive[:] = False
                case Failed():
                    raise SpecError(event.message, hint=event.hint)
                case _:
                    progress.tell()
    ran.last_loss, ran.last_score = (np.where(ran.is_alive, each, np.nan) for each in (ran.last_loss, ran.last_score))
    return ran


def _said(plain: Experiment, splits: Splits, ran: _Ran, progress: _Progress) -> np.ndarray:
    """What every lane says of the held-out part (L, M): classes, or numbers in their own unit; -1 or NaN where it diverged."""
    is_classes = splits.profile.task == "classification"
    x = torch.from_numpy(splits.model_input(splits.validation.x))
    chunk = chunk_size(infer(plain.model, splits.profile.input_shape))
    said = np.full((len(plain.lanes), len(x)), -1 if is_classes else np.nan)
    for lane in np.flatnonzero(ran.is_alive):
        model = build(plain.model, splits.profile.input_shape, plain.seed)
        model.load_state_dict(load_weights(ran.weights, int(lane))[0])
        model.eval()
        found = []
        with torch.inference_mode():
            for part in torch.split(x, chunk):
                progress.tell()
                output = model(part)
                found.append(predicted_classes(model, output) if is_classes else predicted_numbers(output).double())
        numbers = torch.cat(found).numpy()
        said[lane] = numbers if is_classes else numbers * splits.target_scale + splits.target_shift
    return said


def _curves(ran: list[_Ran], n_epochs: int, name: str) -> np.ndarray:
    """(L, k, E): one figure of all epochs, NaN after the end of a fold and where a lane diverged."""
    curves = np.full((len(ran[0].is_alive), len(ran), n_epochs), np.nan)
    for fold, one in enumerate(ran):
        for place, row in enumerate(one.epochs):
            curves[:, fold, place] = getattr(row, name)
    return np.where(np.isfinite(curves), curves, np.nan)


def _refuse_lonely_batch(plain: Experiment, n_train: int) -> None:
    """As the check of an ordinary run, for the training part of a fold."""
    if has_lonely_batch(plain, n_train):
        raise SpecError(
            f"A fold has {n_train:,} training examples: batches of {plain.batch(n_train):,} leave one of a single example, "
            "and batch normalisation needs at least two.",
            hint="Use another batch size, or another number of folds.",
        )


def _notes(experiment: Experiment, original: Splits) -> tuple[str, ...]:
    notes = []
    if experiment.origin is not None:
        notes.append(
            "Every fold starts from fresh initial weights and trains all layers: the weights of the run that this one was "
            "forked from have seen the held-out examples."
        )
    if original.profile.modality == "sequence" and experiment.data.kind.startswith("own"):
        notes.append("Which tokens are known was learned from the training split of the data, not from each fold's.")
    return tuple(notes)
