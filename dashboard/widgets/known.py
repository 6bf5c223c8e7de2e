"""What the page tells the live curves of a run."""

from core.experiment.experiment import Experiment
from core.store.protocol import RunRecord
from dashboard.components.live_curves import Known
from dashboard.session import lesson, selection


def known_of(record: RunRecord | None, experiment: Experiment) -> Known:
    """State, loss, and the moment that Inspect and Explain look at, where one was chosen."""
    is_bare = lesson.is_hidden("curves.controls")
    if record is None:
        return Known(loss=experiment.loss, is_bare=is_bare)
    return Known(record.state, experiment.loss, selection.moment(record.id), is_bare)
