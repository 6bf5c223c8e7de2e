"""The kept moments of a run: checkpoints by step, with what the curves say of them."""

from dataclasses import dataclass

from core.history import History
from core.jobs.job import ArtifactRef
from core.store.protocol import RunRecord
from dashboard.session import resources, run_history

BEST = "best-"
"""The checkpoint of the best epoch begins with it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One checkpoint. `validation_loss` is of its epoch's end, None where no epoch ended at this step."""

    step: int
    ref: ArtifactRef
    is_best: bool = False
    is_newest: bool = False
    epoch: float | None = None
    """Passes over the training data, in parts; None before the run told how long one is."""
    validation_loss: float | None = None


def moments(record: RunRecord) -> tuple[Moment, ...]:
    """By step, one for each. The newest is the last in time: a run that diverged ends with weights of an earlier step."""
    saved = resources.reader().artifacts(record.id, kind="checkpoint")
    if not saved:
        return ()
    newest = max(saved, key=lambda one: one.seq).step
    best = {one.step for one in saved if one.name.startswith(BEST)}
    per_epoch, losses = run_history.asked(record, _epochs)
    refs = {one.step: ArtifactRef(run=one.run, name=one.name, sha256=one.sha256) for one in saved}
    return tuple(
        Moment(
            step,
            refs[step],
            is_best=step in best,
            is_newest=step == newest,
            epoch=step / per_epoch if per_epoch else None,
            validation_loss=losses.get(step),
        )
        for step in sorted(refs)
    )


def newest(run: str) -> tuple[ArtifactRef, int] | None:
    """The weights that a run has kept last, and their step; None where there are none. Its log is not read for that."""
    saved = resources.reader().artifacts(run, kind="checkpoint")
    if not saved:
        return None
    last = max(saved, key=lambda one: one.seq)
    return ArtifactRef(run=last.run, name=last.name, sha256=last.sha256), last.step


def _epochs(history: History) -> tuple[int, dict[int, float]]:
    """Steps of an epoch (0 while unknown), and the mean validation loss by step."""
    losses = {row.step: sum(row.validation_loss) / len(row.validation_loss) for row in history.epochs if row.validation_loss}
    return (history.started.steps_per_epoch if history.started else 0), losses
