"""Training runs to choose from, and what each is called."""

from collections.abc import Sequence

from core.errors import LayerwiseError
from core.experiment.experiment import Experiment
from core.experiment.run_cost import RunCost, run_cost
from core.history import History
from core.store.protocol import RunRecord
from dashboard.session import resources, run_now, state
from dashboard.session.run_history import asked
from dashboard.text import counted
from dashboard.widgets.compare import SHORT_RUN


def training_runs(runs: Sequence[RunRecord] | None = None, limit: int = 60) -> list[tuple[RunRecord, Experiment]]:
    """Runs that keep weights, with their experiments as they are by now; the newest ones where none are given."""
    given = resources.reader().runs(kind="train", limit=limit) if runs is None else runs
    found = []
    for record in given:
        try:
            found.append((record, run_now.experiment_now(record)))
        except LayerwiseError:  # of another version, or no training
            continue
    return found


def run_name(record: RunRecord, experiment: Experiment | None = None) -> str:
    """The letters that tell it apart; then its name where it has one, else what it trained."""
    short = record.id[:SHORT_RUN]
    if record.name:
        return f"{short} · {record.name}"
    try:
        experiment = experiment or state.experiment_of(record.job)
    except LayerwiseError:
        return short
    names = experiment.lane_names()
    what = names[0] if len(names) == 1 else counted("{n} lane", "{n} lanes", len(names))
    return f"{short} · {experiment.data.label}, {what}"


def cost_of(record: RunRecord, experiment: Experiment) -> RunCost:
    """What a run costs and is worth by now."""
    name = run_name(record, experiment)

    def question(history: History) -> RunCost:
        return run_cost(name, experiment, history)

    return asked(record, question)
