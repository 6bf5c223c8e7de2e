"""Watch a network learn: live curves, the decision surface beside them, and the controls of the run."""

import streamlit as st

from core.data.plane import Plane
from core.errors import SpecError
from core.events import EpochDone
from core.experiment.experiment import Experiment
from core.history import History
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.components.boundary import boundary
from dashboard.components.live_curves import live_curves
from dashboard.figures.theme import categorical
from dashboard.session import lesson, run_history, state
from dashboard.session.plane import plane_points
from dashboard.text import _
from dashboard.widgets.compress_made import is_made_smaller
from dashboard.widgets.doctor import doctor
from dashboard.widgets.fork_form import fork_form
from dashboard.widgets.known import known_of
from dashboard.widgets.lane_controls import lane_controls, repeat_with_changes
from dashboard.widgets.links import open_screen
from dashboard.widgets.phases import phases
from dashboard.widgets.projector import together
from dashboard.widgets.resume import resume
from dashboard.widgets.run_controls import learning_rate, run_controls, takes_orders


def render() -> None:
    """The Train screen."""
    record = state.run()
    try:
        experiment = state.experiment_of(record.job) if record else state.experiment()
    except SpecError:
        st.info(_without_curves(record.kind if record else ""), icon=":material/info:")
        return
    if record is not None and is_made_smaller(record):
        _made_smaller(record, experiment)
        return
    with st.container():  # one element for the page, whatever is in it: the curves below stay where they are, and live
        _steer(record)
    _watch(record, experiment)
    if record is None:
        return
    if not lesson.is_hidden("doctor"):
        doctor(record, key="train.doctor")
    if not lesson.is_hidden("repeat"):
        repeat_with_changes(record, key="train.repeat")
    _fork(record)


def _steer(record: RunRecord | None) -> None:
    """What the run can be told, above its curves."""
    with together(key="train.projector"):
        run_controls(record, key="train")
        if record is not None:
            learning_rate(record, key="train")
    resume(record, key="train.resume_ended")
    if record is not None:
        _by_hand(record)
        phases(record, key="train")


def _without_curves(kind: str) -> str:
    """Where the results of a run stand that has trained no model of its own."""
    words = {
        "cross_validation": _(
            "This was a cross-validation: its folds stand on Evaluate. Open a training run to see curves here."
        ),
        "pruning_sweep": _("This was a pruning sweep: its lines stand on Compress. Open a training run to see curves here."),
    }
    return words.get(kind, _("This run keeps no model: it has no curves. Open a training run on the Runs screen."))


def _made_smaller(record: RunRecord, experiment: Experiment) -> None:
    """A compressed model: one point of figures, nothing to steer, and weights to go on from."""
    st.info(_("This model was made smaller, not trained: its figures are one point. See Compress."), icon=":material/compress:")
    if record.state in UNFINISHED:
        run_controls(record, key="train")
    _point(record, experiment)
    if st.button(_("Open Compress"), key="train.compress", icon=":material/compress:"):
        open_screen("compress")
    _fork(record)


def _point(record: RunRecord, experiment: Experiment) -> None:
    """The figures that the model has since it was made smaller, as curves would end with them."""
    row = run_history.asked(record, _last_row)
    if row is None:
        return
    unit = _(experiment.loss.unit)
    score = _("R²") if experiment.loss.task == "regression" else _("accuracy")
    figures = {
        _("Training loss ({unit})").format(unit=unit): row.train_loss,
        _("Validation loss ({unit})").format(unit=unit): row.validation_loss,
        _("Training {score}").format(score=score): row.train_accuracy,
        _("Validation {score}").format(score=score): row.validation_accuracy,
    }
    with st.container(horizontal=True, key="train.point"):
        for name, values in figures.items():
            if values:
                st.metric(name, f"{values[0]:.4g}", border=True, width=220)


def _last_row(history: History) -> EpochDone | None:
    return history.epochs[-1] if history.epochs else None


def _watch(record: RunRecord | None, experiment: Experiment) -> None:
    """The curves, and on 2-D data the plane beside them."""
    if not isinstance(experiment.data, Plane) or lesson.is_hidden("plane"):
        _curves(record, experiment)
        return
    wide, narrow = st.columns([2, 1])
    with wide:
        _curves(record, experiment)
    with narrow:
        data = experiment.data
        points, y, is_validation = plane_points(data, experiment.seed)
        boundary(
            points, y, is_validation, record.id if record else None, key="train.boundary", class_names=_names(data.class_names)
        )


def _curves(record: RunRecord | None, experiment: Experiment) -> None:
    live_curves(
        record.id if record else None,
        key="train.curves",
        palettes=(categorical(dark=False), categorical(dark=True)),
        known=known_of(record, experiment),
    )


def _names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """The classes of a toy, in the visitor's language; none for regression."""
    return tuple(_(name) for name in class_names)


def _fork(record: RunRecord) -> None:
    """A new run from a kept moment of this one, when it is asked for."""
    if lesson.is_hidden("fork"):
        return
    box = st.expander(_("Fork from here"), key="train.fork_box", on_change="rerun", icon=":material/fork_right:")
    if box.open:
        with box:
            fork_form(record, key="train.fork")


def _by_hand(record: RunRecord) -> None:
    """What can be changed in the run besides its learning rate. Above the curves: what is below them moves as they grow."""
    if takes_orders(record) and not lesson.is_hidden("change"):
        box = st.expander(_("Change the run"), key="train.by_hand", on_change="rerun", icon=":material/build:")
        if box.open:
            with box:
                lane_controls(record, key="train.lanes")
