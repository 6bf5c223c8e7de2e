"""Commands to a running run, from buttons and from the learning-rate slider."""

import streamlit as st

from core.errors import LayerwiseError
from core.events import Command, HyperChanged, SetHyper
from core.store.protocol import RunRecord
from dashboard.session import resources, state
from dashboard.text import _
from dashboard.widgets.failure import toast

RATES = tuple(float(f"{digit}e{power}") for power in range(-6, 1) for digit in (1, 2, 5))[:-2]
"""1, 2, 5 per decade, from 1e-6 to 1."""


def send(run: str, command: Command) -> None:
    """Send a command; a refusal is said in a toast, since the button's page runs on."""
    try:
        resources.client().command(run, command)
    except LayerwiseError as error:
        toast(error)


def learning_rate(record: RunRecord) -> None:
    """One slider per lane over the learning rate that holds now; moving it changes the running run."""
    lanes = state.experiment_of(record.job).lanes
    changed = _changes(record)
    for index, lane in enumerate(lanes):
        began = lane.optimizer.lr
        _slider(record, index, lane.name or lane.optimizer.label, began, changed.get(index, began))


def _slider(record: RunRecord, lane: int, label: str, began: float, present: float) -> None:
    key, wish = f"train.learning_rate.{lane}", f"train.wish.{lane}"

    def change() -> None:
        value = st.session_state[key]
        if value == shown:
            return
        st.session_state[wish] = (record.id, record.generation, present, value)
        send(record.id, SetHyper(lane, "lr", value))

    # until the change is in the run's log, the slider shows what was wished for
    asked = st.session_state.get(wish)
    shown = asked[3] if asked and asked[:3] == (record.id, record.generation, present) else present
    st.session_state[key] = shown
    st.select_slider(
        _("Learning rate ({lane})").format(lane=label),
        sorted({*RATES, began, shown}),
        key=key,
        on_change=change,
        format_func=lambda value: f"{value:g}",
        width=320,
        help=_("Holds from the next step on; the change is marked on the curves."),
    )


def _changes(record: RunRecord) -> dict[int, float]:
    """The learning rate of each lane that was changed by hand, as it was last set."""
    changes = [logged.event for logged in resources.reader().events(record.id, name="HyperChanged")]
    return {change.lane: change.new for change in changes if isinstance(change, HyperChanged) and change.name == "lr"}
