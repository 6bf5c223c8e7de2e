"""Other trained models of the same data, with which the one that is looked at can be compared."""

from dataclasses import dataclass

from core.errors import LayerwiseError
from core.jobs.lenses import ExampleRef
from dashboard.session import chosen_runs, resources, run_now, state
from dashboard.session.moments import newest
from dashboard.text import _
from dashboard.widgets.compare import SHORT_RUN
from dashboard.widgets.subject import Subject

MOST_RUNS = 50
"""Of the table's chosen ones."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another model, and what to call it."""

    label: str
    subject: Subject


def other_runs(subject: Subject) -> list[Other]:
    """The newest weights of the runs that learned from the same data: those chosen in the table, and those looked at."""
    runs = dict.fromkeys((*chosen_runs.chosen()[:MOST_RUNS], *state.recent_runs()))
    return [other for run in runs if run != subject.run for other in _newest_of(run, subject)]


def _newest_of(run: str, subject: Subject) -> list[Other]:
    """One, or none where the run has other data or another seed, keeps no weights, or is gone."""
    record = resources.reader().run(run)
    if record is None:
        return []
    try:
        experiment = run_now.experiment_now(record)
    except LayerwiseError:  # another kind of work, or of another version
        return []
    if experiment.data != subject.experiment.data or experiment.seed != subject.experiment.seed:
        return []
    kept = newest(run)
    if kept is None:
        return []
    ref, step = kept
    name = record.name or _("run {run}").format(run=run[:SHORT_RUN])
    label = _("{name}, step {step:,}").format(name=name, step=step)
    return [Other(label, Subject(experiment, ref, ExampleRef(), run, step))]
