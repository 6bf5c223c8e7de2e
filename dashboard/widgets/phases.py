"""One step of training taken apart: forward, loss, backward, update, each with one line and the tensors of it."""

from collections.abc import Sequence

import streamlit as st

from core.errors import LayerwiseError
from core.events import PhaseDone
from core.store.protocol import RunRecord
from dashboard.session import lesson, pace, resources
from dashboard.session.run_now import phases as phases_of
from dashboard.text import _
from dashboard.widgets.failure import failure, plain
from dashboard.widgets.figure import is_dark
from dashboard.widgets.read_only import is_watching
from dashboard.widgets.tensor_cards import tensor_cards

PHASES = ("forward", "loss", "backward", "update")
POLL_S = 0.5


def phases(record: RunRecord, *, key: str) -> None:
    """The panel, kept up to date while the run waits for the next phase; nothing while nobody steps by phases."""
    is_asked = st.session_state.get(f"{key}.unit") == "phase" and not is_watching(record)
    if lesson.is_hidden("phases") or (not is_asked and not phases_of(record)):
        return

    def poll() -> None:
        try:
            present = resources.reader().run(record.id) or record
            done = phases_of(present)
        except LayerwiseError as error:
            failure(error)
            return
        _panel(done, key)

    is_live = record.state in ("running", "paused", "starting")
    with st.container(border=True, key=f"{key}.phases"):
        st.fragment(poll, run_every=pace.every(POLL_S) if is_live else None)()


def _panel(done: Sequence[PhaseDone], key: str) -> None:
    by_name = {event.phase: event for event in done}
    number = done[-1].step if done else None
    st.subheader(_("Step {number:,} in four phases").format(number=number) if number else _("A step in four phases"))
    about = {
        "forward": (_("Forward"), _("The batch goes through the layers, one after the other."), ":material/east:"),
        "loss": (_("Loss"), _("One number says how wrong the answers are."), ":material/straighten:"),
        "backward": (_("Backward"), _("The chain rule gives each weight its share of the blame."), ":material/west:"),
        "update": (_("Update"), _("The optimizer moves every weight a little."), ":material/upgrade:"),
    }
    for name, column in zip(PHASES, st.columns(4, gap="small"), strict=True):
        title, sentence, icon = about[name]
        with column, st.container(border=True, height="stretch"):
            is_done = name in by_name
            st.badge(title, icon=":material/check:" if is_done else icon, color="green" if is_done else "gray")
            st.text(by_name[name].text if is_done else sentence)  # type: ignore[index]
    if not done:
        st.caption(_("Pause the run, choose “phase” and press Step: each press does one phase of the first lane's next step."))
        return
    shown = st.segmented_control(
        _("Tensors of"),
        [event.phase for event in done],
        default=done[-1].phase,
        required=True,
        key=f"{key}.phases.shown.{number}.{len(done)}",
        format_func=lambda name: about[name][0],
    )
    event = by_name[shown or done[-1].phase]  # type: ignore[index]
    st.caption(plain(_("Blue is negative, red is positive; the first 1,024 values of each tensor are shown.")))
    st.html(tensor_cards(event.tensors, dark=is_dark(), words=_words()))


def _words() -> dict[str, str]:
    return {
        "low": _("least"),
        "high": _("largest"),
        "mean": _("mean"),
        "norm": _("L2 norm"),
        "number": _("one number"),
        "alt": _("Heat map of {name}, from {low} to {high}"),
        "first": _("first {n} of {all} values"),
    }
