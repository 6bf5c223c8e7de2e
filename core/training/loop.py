"""Training, as a generator of events.

    for event in train(experiment):
        ...

Stop is `close()`, or `send(Stop())` to keep the result; pause is not pulling; a live change is `send(SetHyper(...))`;
`send(Step(n))` makes n steps, epochs or phases of one step; that and `send(Pause())` are answered by `Paused`, after which
whoever reads stops pulling. None among the items means: nothing to tell, but a moment for a command.
"""

from collections.abc import Generator, Iterable

from core.data.dataset import Splits
from core.events import Command
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.settings import Settings
from core.training.beginnings import missing
from core.training.live_run import LiveRun
from core.training.story import Item, Story
from core.training.wishes import Pending, Wishes


def train(  # noqa: PLR0913  where a run begins has several parts
    experiment: Experiment,
    *,
    splits: Splits | None = None,
    origin: bytes | None = None,
    resume: bytes | None = None,
    replay: Iterable[tuple[int, Command]] = (),
    starts_paused: bool = False,
    settings: Settings | None = None,
) -> Generator[Item, Command | None, None]:
    """The events of one run, from `Started` to exactly one `Finished` or `Failed`; checkpoints leave as artifacts.

    Args:
        splits: loaded data, where the caller has it already.
        origin: the checkpoint that `experiment.origin` names.
        resume: a checkpoint of this experiment; the curve goes on bit for bit as if never interrupted.
        replay: changes by hand that were made after that checkpoint, as (step after which they hold, change).
        starts_paused: wait before the first step, at the initial weights.

    Raises:
        SpecError: the experiment cannot run (raised before anything is allocated), or nothing of its origin fits it.
        MissingData: its data set is not there, or the checkpoint that it starts from.
    """
    settings = settings or Settings()
    checked(experiment, settings)
    if experiment.origin is not None and origin is None and resume is None:
        raise missing(experiment.origin)
    run = LiveRun(experiment, splits or experiment.data.splits(experiment.seed), resume, settings, origin)
    try:
        pending = pending_changes(experiment, run.n_prescribed, replay)
        story = Story(run, settings, Wishes(pending, is_pausing=starts_paused and resume is None))
        for item in story.tell():
            run.watch.stand()
            command = yield item
            while command is not None:
                story.obey(command)
                command = (yield story.answers.popleft()) if story.answers else None
            run.watch.run()
    finally:
        run.close()


def pending_changes(experiment: Experiment, n_done: int, replay: Iterable[tuple[int, Command]]) -> list[Pending]:
    """The changes that are still to be made, in order: those that the experiment prescribes, and those made by hand.

    Prescribed ones that were made before an interruption come again by `replay`; they count once.
    """
    left = [Pending(change.after_step, change.command(), is_prescribed=True) for change in experiment.changes[n_done:]]
    made = []
    for change in replay:
        again = next((one for one in left if (one.after_step, one.command) == change), None)
        if again is not None:
            left.remove(again)
        made.append(again or Pending(*change))
    return sorted(made + left, key=lambda change: change.after_step)
