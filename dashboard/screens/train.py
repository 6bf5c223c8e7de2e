"""Watch a network learn: live curves, the decision surface beside them, and the controls of the run."""

import streamlit as st

from core.data.plane import Plane
from core.events import Command, Pause, Resume, Step, Stop
from core.experiment.experiment import Experiment
from core.store.protocol import RunRecord
from dashboard.components.boundary import boundary
from dashboard.components.live_curves import live_curves
from dashboard.figures.theme import categorical
from dashboard.session import state
from dashboard.session.plane import plane_points
from dashboard.text import _
from dashboard.widgets.run_controls import learning_rate, send


def render() -> None:
    """The Train screen."""
    record = state.run()
    experiment = state.experiment_of(record.job) if record else state.experiment()
    _controls(record)
    if not isinstance(experiment.data, Plane):
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
        state=record.state if record else "",
        loss=experiment.loss,
    )


def _names(class_names: tuple[str, ...]) -> tuple[str, ...]:
    """The classes of a toy, in the visitor's language; none for regression."""
    return tuple(_(name) for name in class_names)


def _controls(record: RunRecord | None) -> None:
    """Pause, step, stop and the learning rate, each active when it can do something."""
    present = record.state if record else ""
    is_live = present in ("running", "starting", "paused")
    with st.container(key="train.controls", horizontal=True, vertical_alignment="bottom"):
        if present == "paused":
            _button("resume", _("Resume"), ":material/play_arrow:", record, Resume())
        else:
            _button("pause", _("Pause"), ":material/pause:", record, Pause(), disabled=present != "running")
        _button("step", _("Step"), ":material/skip_next:", record, Step(1), disabled=present not in ("paused", "running"))
        _button("stop", _("Stop"), ":material/stop:", record, Stop(), disabled=not is_live and present != "queued")
        if record is not None and is_live:
            learning_rate(record)


def _button(name: str, label: str, icon: str, record: RunRecord | None, command: Command, *, disabled: bool = False) -> None:
    run = record.id if record else ""
    st.button(label, key=f"train.{name}", icon=icon, on_click=send, args=(run, command), disabled=disabled)
