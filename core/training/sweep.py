"""A sweep: every lane trained with every learning rate of a grid, equally long, from equal weights, on equal batches."""

import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from core.data.dataset import Splits
from core.errors import SpecError
from core.events import Failed, Finished, StepsDone
from core.experiment.check import checked, findings
from core.experiment.experiment import MAX_LANES, Budget, Experiment, Lane
from core.experiment.rates import Grid, rows, with_rate
from core.results.sweep import Sweep
from core.settings import Settings
from core.training.loop import train
from core.types import Report

Figures = tuple[np.ndarray, np.ndarray]
"""Losses and scores, (lanes, seeds) float64 each."""


def sweep(
    experiment: Experiment,
    grid: Grid,
    *,
    splits: Splits | None = None,
    settings: Settings | None = None,
    origin: bytes | None = None,
    report: Report = lambda done, total: None,
) -> Sweep:
    """Final validation figures of each lane of the experiment with each rate of the grid, and each seed.

    Lanes that differ in nothing but rate and name are one row.
    Cells differ in nothing but lane and rate. As many as fit (up to 32) are trained together. Targets, early stopping and
    changes by hand of the experiment do not count; schedules are stretched over the steps of the sweep.

    Args:
        origin: the checkpoint that `experiment.origin` names.
        report: called often with (cell steps done, cell steps in all); what it raises ends the sweep.

    Raises:
        SpecError: the experiment cannot run.
    """
    settings = settings or Settings()
    splits = splits or experiment.data.splits(experiment.seed)
    watched = replace(splits, test=splits.validation)  # what a run tells at its end, after any number of steps
    names, lanes = zip(*rows(experiment.lanes), strict=True)
    rates = grid.rates()
    cells = [with_rate(lane, rate) for lane, rate in itertools.product(lanes, rates)]
    plain = experiment.but(lanes=(cells[0],), repeats=grid.seeds, budget=Budget(epochs=None, steps=grid.steps), changes=())
    progress = _Progress(len(cells) * grid.seeds * grid.steps, grid, report)
    parts = [_trained(part, watched, settings, progress, origin) for part in _parts(plain, cells, settings)]
    shape = (len(lanes), len(rates), grid.seeds)
    losses, scores = (np.concatenate(figures).reshape(shape) for figures in zip(*parts, strict=True))
    return Sweep(
        names=names,
        lanes=tuple(lane.model_dump_json() for lane in lanes),
        rates=np.array(rates),
        losses=losses,
        scores=scores,
        steps=grid.steps,
        loss_unit=experiment.loss.unit,
        is_accuracy=experiment.loss.task == "classification",
    )


@dataclass(slots=True)
class _Progress:
    """Counts steps of cells over all parts."""

    total: int
    grid: Grid
    report: Report
    before: int = 0
    """In the parts that are over."""
    done: int = 0

    def at(self, step: int, n_cells: int) -> None:
        """So many steps are done in the present part."""
        self.done = self.before + step * n_cells * self.grid.seeds
        self.tell()

    def close(self, n_cells: int) -> None:
        """The present part is over, whether all its steps were needed or not."""
        self.at(self.grid.steps, n_cells)
        self.before = self.done

    def tell(self) -> None:
        """A moment at which the sweep can be ended."""
        self.report(self.done, self.total)


def _parts(plain: Experiment, cells: Sequence[Lane], settings: Settings) -> Iterator[Experiment]:
    """Experiments with some of the cells as lanes each, in order, as many at once as memory allows."""
    size = min(MAX_LANES, len(cells))
    while size > 1 and not _fits(plain.but(lanes=tuple(cells[:size])), settings):
        size = math.ceil(size / 2)
    for start in range(0, len(cells), size):
        yield checked(plain.but(lanes=tuple(cells[start : start + size])), settings)


def _fits(experiment: Experiment, settings: Settings) -> bool:
    """Whether so many lanes may be trained at once. What would be wrong with one lane too is told later."""
    return not any(finding.code in ("too-much-memory", "checkpoint-too-large") for finding in findings(experiment, settings))


def _trained(part: Experiment, splits: Splits, settings: Settings, progress: _Progress, origin: bytes | None) -> Figures:
    """Figures of the lanes of one part."""
    n_cells = len(part.lanes)
    is_alive = np.ones(n_cells * part.repeats, bool)
    figures = (np.full(len(is_alive), np.nan), np.full(len(is_alive), np.nan))
    with closing(train(part, splits=splits, settings=settings, origin=origin)) as events:
        for event in events:
            match event:
                case StepsDone():
                    is_alive &= np.array([math.isfinite(losses[-1]) for losses in event.losses])
                    progress.at(event.first_step + len(event.losses[0]) - 1, n_cells)
                case Finished(test_loss=losses, test_accuracy=scores) if losses is not None and scores is not None:
                    figures = (np.array(losses), np.array(scores))
                case Failed(code=code) if code != "diverged":
                    raise SpecError(event.message, hint=event.hint)
                case _:
                    progress.tell()
    progress.close(n_cells)
    is_good = is_alive & np.isfinite(figures[0])
    shape = (n_cells, part.repeats)
    return np.where(is_good, figures[0], np.nan).reshape(shape), np.where(is_good, figures[1], np.nan).reshape(shape)
