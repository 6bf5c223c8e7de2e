"""What stands above every screen: the present experiment, the present run, and the button that trains."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from core.diagnostics import Diagnostic
from core.errors import LayerwiseError
from core.experiment.check import findings
from core.experiment.examples import EXAMPLES, default_experiment
from core.experiment.experiment import Experiment
from core.jobs.training import TrainJob
from core.models.model import infer
from dashboard.session import lesson, resources, state
from dashboard.text import _, counted
from dashboard.widgets.cost_hint import cost_hint
from dashboard.widgets.failure import failure, problem
from dashboard.widgets.fork_origin import origin_line
from dashboard.widgets.lesson import leave_lesson
from dashboard.widgets.my_space import my_space
from dashboard.widgets.projector import TRAIN, projector_button, was_pressed
from dashboard.widgets.room_present import present_menu
from dashboard.widgets.share import share

STATES = {
    "queued": ("Waiting", "gray"),
    "starting": ("Starting", "blue"),
    "running": ("Running", "blue"),
    "paused": ("Paused", "orange"),
    "stopping": ("Stopping", "orange"),
    "finished": ("Finished", "green"),
    "stopped": ("Stopped", "gray"),
    "failed": ("Failed", "red"),
    "interrupted": ("Interrupted", "orange"),
}


SCREENS = ("train", "race")
"""Where a run can be watched; on the second the button says Race."""
MAX_NAMED = 3
"""With more lanes than that the strip names the first ones and counts all."""


def header(pages: Mapping[str, Any], *, here: str) -> None:
    """The strip with experiment, run and the Train button; pressing it submits the experiment and shows its curves.

    Args:
        pages: the screens that show a run, by name.
        here: the screen below the strip.
    """
    experiment, record = state.experiment(), state.run()
    strip = st.container(key="header", horizontal=True, vertical_alignment="center", gap="small")
    below = st.container()
    with strip:
        if not lesson.is_hidden("sentence"):
            st.text(sentence(experiment), width="content")
            origin_line(experiment)
        if record is None:
            st.badge(_("no run yet"), color="gray")
        else:
            words, color = STATES[record.state]
            is_same = state.experiment_of(record.job) == experiment
            name = _("run {id}") if is_same else _("run {id}, of an earlier experiment")
            st.badge(f"{name.format(id=record.id[:6])}: {_(words)}", color=color)  # type: ignore[arg-type]
        st.space("stretch")
        error = _first_error(experiment)
        parts: dict[str, Callable[[], None]] = {
            "undo": _undo_buttons,
            "start": partial(_start_button, experiment, pages, here, below, is_off=error is not None),
            "examples": _ready_menu,
            "share": partial(share, experiment),
        }
        for group, draw in parts.items():
            if not lesson.is_hidden(group):
                draw()
        my_space()
        present_menu()
        leave_lesson()
        projector_button()
    if words := state.link_problem():
        problem(words)
    if error is not None and here in SCREENS:
        problem(_("This experiment cannot be trained yet: {why} Mend it on the Build screen.").format(why=error.message))
    elif here in SCREENS:
        cost_hint(experiment)


def sentence(experiment: Experiment) -> str:
    """The experiment in a line: data, model, optimizer."""
    data, model = experiment.data, experiment.model
    inference = infer(model, data.profile().input_shape)
    layers = counted("{n} layer", "{n} layers", len(model.layers))
    size = counted("{n} parameter", "{n} parameters", inference.n_parameters)
    if inference.out_shape is None:
        size = _("which do not fit together yet")
    return f"{_(data.label)}  ·  {layers}, {size}  ·  {_field(experiment)}"


def _field(experiment: Experiment) -> str:
    """Who trains: `Adam, lr 0.003`, or `6 lanes: SGD, Momentum, RMSprop, … × 4 seeds`."""
    lanes = experiment.lanes
    if len(lanes) <= 2:
        words = _(" vs ").join(lane.label for lane in lanes)
    else:
        names = list(dict.fromkeys(lane.name or lane.optimizer.label for lane in lanes))
        named = ", ".join(names[:MAX_NAMED]) + (", …" if len(names) > MAX_NAMED else "")
        words = f"{counted('{n} lane', '{n} lanes', len(lanes))}: {named}"
    parts = [words]
    if experiment.repeats > 1:
        parts.append(counted("× {n} seed", "× {n} seeds", experiment.repeats))
    if experiment.changes:
        parts.append(counted("with {n} change on the way", "with {n} changes on the way", len(experiment.changes)))
    return " ".join(parts)


def _first_error(experiment: Experiment) -> Diagnostic | None:
    """What keeps the experiment from being trained."""
    found = findings(experiment, resources.settings())
    return next((finding for finding in found if finding.severity == "error"), None)


def _undo_buttons() -> None:
    """One step back and one forth through the changes of the experiment."""
    st.button(
        _("Undo"),
        key="header.undo",
        icon=":material/undo:",
        type="tertiary",
        on_click=state.undo,
        disabled=not state.can_undo(),
        shortcut="Mod+Z",
        help=_("Take back the last change of the experiment."),
    )
    st.button(
        _("Redo"),
        key="header.redo",
        icon=":material/redo:",
        type="tertiary",
        on_click=state.redo,
        disabled=not state.can_redo(),
        shortcut="Mod+Shift+Z",
        help=_("Make the change again that was taken back."),
    )


def _ready_menu() -> None:
    """Ready experiments to start from."""
    with st.popover(_("Examples"), icon=":material/auto_stories:"):
        for example in EXAMPLES:
            st.button(
                _(example.label),
                key=f"header.ready.{example.name}",
                help=_(example.about),
                on_click=_take,
                args=(example.name,),
                width="stretch",
            )


def _take(name: str) -> None:
    state.set_experiment(default_experiment(name))
    state.set_run(None)


def _start_button(experiment: Experiment, pages: Mapping[str, Any], here: str, below: Any, *, is_off: bool) -> None:
    """The button; why nothing could be started is said below the strip."""
    words, icon = (_("Race"), ":material/flag:") if here == "race" else (_("Train"), ":material/play_arrow:")
    is_pressed = st.button(words, key="header.train", type="primary", icon=icon, disabled=is_off)
    if is_pressed or (was_pressed(TRAIN) and not is_off):
        with below:
            _start(experiment, pages, here)


def _start(experiment: Experiment, pages: Mapping[str, Any], here: str) -> None:
    try:
        state.set_run(resources.client().submit(TrainJob(experiment=experiment)))
    except LayerwiseError as error:
        failure(error)
        return
    shown = "race" if len(experiment.lanes) > 1 else "train"
    if here in SCREENS or lesson.is_hidden(shown):
        st.rerun()
    st.switch_page(pages[shown])
