"""The controls of a run, each active when it can do something: pause, step, speed, stop, reset, the learning rate."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.errors import LayerwiseError
from core.events import Command, Pause, Resume, SetHyper, SetSpeed, Step, Stop
from core.experiment.lane import Lane
from core.jobs.training import TrainJob
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import lesson, resources, state
from dashboard.session.hurry import hurry
from dashboard.session.run_now import experiment_now, removed_lanes
from dashboard.text import _
from dashboard.widgets.failure import toast
from dashboard.widgets.read_only import is_watching, read_only

RATES = tuple(float(f"{digit}e{power}") for power in range(-6, 1) for digit in (1, 2, 5))[:-2]
"""1, 2, 5 per decade, from 1e-6 to 1."""
SPEEDS = (1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 0.0)
"""Steps per second, from slow motion on; 0 is as fast as can be."""
UNITS = ("phase", "step", "epoch")
MAX_SLIDERS = 3
"""With more lanes than that their numbers are in the lane controls alone."""
SPEED = "run.speed"
"""Which speed was last asked for, of which run: both screens show the same."""
LIVE = ("running", "starting", "paused")


def send(run: str, command: Command) -> bool:
    """Send a command; a refusal is said in a toast, since the button's page runs on. Whether it was taken."""
    try:
        resources.client().command(run, command)
    except LayerwiseError as error:
        toast(error)
        return False
    hurry(run)
    return True


def run_controls(record: RunRecord | None, *, key: str) -> None:
    """The row of buttons, in the order in which they are needed; a lesson may leave some of them out. Of a run of somebody
    else there are none: that is said in their place.
    """
    if record is not None and is_watching(record):
        read_only(record, key=key)
        return
    present = record.state if record else ""
    is_live = present in LIVE
    parts: dict[str, Callable[[], None]] = {
        "run.pause": partial(_pause, record, present, key),
        "run.step": partial(_step, record, key, is_off=present not in ("paused", "running")),
        "run.stop": partial(_stop, record, key, is_off=not is_live and present != "queued"),
        "run.reset": partial(_reset, record, key),
    }
    if record is not None and is_live:
        parts["run.speed"] = partial(_speed, record, key)
    with st.container(key=f"{key}.controls", horizontal=True, vertical_alignment="bottom", gap="small"):
        for group, draw in parts.items():
            if not lesson.is_hidden(group):
                draw()


def _pause(record: RunRecord | None, present: str, key: str) -> None:
    if present == "paused":
        _button(f"{key}.resume", _("Resume"), ":material/play_arrow:", record, Resume())
    else:
        _button(f"{key}.pause", _("Pause"), ":material/pause:", record, Pause(), is_off=present != "running")


def _stop(record: RunRecord | None, key: str, *, is_off: bool) -> None:
    _button(f"{key}.stop", _("Stop"), ":material/stop:", record, Stop(), is_off=is_off)


def _button(key: str, label: str, icon: str, record: RunRecord | None, command: Command, *, is_off: bool = False) -> None:
    run = record.id if record else ""
    st.button(label, key=key, icon=icon, on_click=send, args=(run, command), disabled=is_off)


def _step(record: RunRecord | None, key: str, *, is_off: bool) -> None:
    """One step by hand, and of what size."""
    words = {"phase": _("phase"), "step": _("step"), "epoch": _("epoch")}
    unit = st.session_state.get(f"{key}.unit") or "step"
    _button(f"{key}.step", _("Step"), ":material/skip_next:", record, Step(1, unit), is_off=is_off)
    st.segmented_control(
        _("One step is one"),
        UNITS,
        default="step",
        required=True,
        key=f"{key}.unit",
        format_func=words.__getitem__,
        persist_state="session",
        help=_("A step of the optimizer has four phases: forward, loss, backward and update. Each can be looked at."),
    )


def _speed(record: RunRecord, key: str) -> None:
    """From slow motion to full; it changes no number of the run."""
    asked = f"{key}.speed"
    known = st.session_state.get(SPEED)
    st.session_state[asked] = known[1] if known and known[0] == record.id else 0.0

    def change() -> None:
        speed = st.session_state[asked]
        if send(record.id, SetSpeed(speed)):
            st.session_state[SPEED] = (record.id, speed)

    st.select_slider(
        _("Speed (steps per second)"),
        SPEEDS,
        key=asked,
        on_change=change,
        format_func=lambda speed: f"{speed:g}" if speed else _("full"),
        width=240,
        help=_("Slow motion to watch, full speed to get there. It changes no number of the run."),
    )


def _reset(record: RunRecord | None, key: str) -> None:
    """Back to the very same initial weights, waiting there."""
    st.button(
        _("Reset"),
        key=f"{key}.reset",
        icon=":material/restart_alt:",
        on_click=reset,
        args=(record,),
        disabled=record is None,
        help=_("Ends this run and starts it again with the same initial weights, waiting before the first step."),
    )


def reset(record: RunRecord) -> None:
    """Start the experiment of a run again at step 0, where it waits, and end the run."""
    try:
        job = TrainJob(experiment=state.experiment_of(record.job), starts_paused=True)
        state.set_run(resources.client().submit(job))
        if record.state in UNFINISHED and not is_watching(record):  # only now: where nothing could be started, nothing is lost
            resources.client().command(record.id, Stop())
    except LayerwiseError as error:
        toast(error)


def takes_orders(record: RunRecord) -> bool:
    """Whether this visitor can change the run now."""
    return record.state in LIVE and not is_watching(record)


def learning_rate(record: RunRecord, *, key: str) -> None:
    """One slider per lane over the learning rate that holds now; moving it changes the running run."""
    if not takes_orders(record) or lesson.is_hidden("run.rate"):
        return
    present, gone = experiment_now(record).lanes, removed_lanes(record)
    shown = [index for index in range(len(present)) if index not in gone]
    if len(shown) > MAX_SLIDERS:
        return
    began = state.experiment_of(record.job).lanes
    with st.container(key=f"{key}.rates", horizontal=True):
        for index in shown:
            _slider(record, index, present[index], began[min(index, len(began) - 1)].optimizer.lr, key)


def _slider(record: RunRecord, index: int, lane: Lane, began: float, key: str) -> None:
    """`began` stays among the rates, so that there is a way back."""
    slider, present = f"{key}.learning_rate.{index}", lane.optimizer.lr
    shown, change = wished(record, index, "lr", present, key=slider)
    st.session_state[slider] = shown
    st.select_slider(
        _("Learning rate ({lane})").format(lane=lane.name or lane.optimizer.label),
        sorted({*RATES, began, present, shown}),
        key=slider,
        on_change=change,
        format_func=lambda value: f"{value:g}",
        width=320,
        help=_("Holds from the next step on; the change is marked on the curves."),
    )


def wished(record: RunRecord, lane: int, name: str, present: float, *, key: str) -> tuple[float, Callable[[], None]]:
    """What a widget over a number of a lane shows, and what it does when it is moved.

    Until the change is in the run's log, it shows what was wished for.
    """
    wish = f"{key}.wish"
    asked = st.session_state.get(wish)
    shown: float = asked[3] if asked and asked[:3] == (record.id, record.generation, present) else present

    def change() -> None:
        value = st.session_state[key]
        if value is None or value == shown:
            return
        if send(record.id, SetHyper(lane, name, value)):
            st.session_state[wish] = (record.id, record.generation, present, value)

    return shown, change
