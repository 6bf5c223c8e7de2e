"""Commands to a running run, from buttons and from the learning-rate slider."""

import streamlit as st

from core.errors import LayerwiseError
from core.events import Command, HyperChanged, SetHyper
from core.store.protocol import RunRecord
from dashboard.session import resources, state
from dashboard.text import _

RATES = tuple(float(f"{digit}e{power}") for power in range(-6, 1) for digit in (1, 2, 5))[:-2]
"""1, 2, 5 per decade, from 1e-6 to 1."""


def send(record: RunRecord, command: Command) -> None:
    """Send a command; a refusal is said in a toast, since the button's page runs on."""
    try:
        resources.client().command(record.id, command)
    except LayerwiseError as error:
        st.toast(str(error), icon=":material/error:")


def learning_rate(record: RunRecord, *, disabled: bool) -> None:
    """One slider per lane over the learning rate that holds now; moving it changes the running run."""
    for lane, (label, rate) in enumerate(_present_rates(record)):
        _slider(record, lane, label, rate, disabled)


def _slider(record: RunRecord, lane: int, label: str, rate: float, disabled: bool) -> None:
    key = f"train.learning_rate.{lane}"

    def change() -> None:
        send(record, SetHyper(lane, "lr", st.session_state[key]))

    if key not in st.session_state or disabled:
        st.session_state[key] = rate
    options = sorted({*RATES, rate, st.session_state[key]})
    st.select_slider(
        _("Learning rate ({lane})").format(lane=label),
        options,
        key=key,
        on_change=change,
        format_func=lambda value: f"{value:g}",
        disabled=disabled,
        width=320,
        help=_("Holds from the next step on; the change is marked on the curves."),
    )


def _present_rates(record: RunRecord) -> list[tuple[str, float]]:
    """Name and present learning rate of every lane: as it began, or as it was last changed by hand."""
    rates = [(lane.optimizer.label, lane.optimizer.lr) for lane in state.experiment_of(record.job).lanes]
    for logged in resources.reader().events(record.id, name="HyperChanged"):
        event = logged.event
        if isinstance(event, HyperChanged) and event.name == "lr":
            rates[event.lane] = (rates[event.lane][0], event.new)
    return rates
