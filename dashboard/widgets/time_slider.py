"""Time travel: one slider over the kept moments of a run, for all panels of all screens."""

import streamlit as st

from core.store.protocol import RunRecord
from dashboard.session import selection
from dashboard.session.moments import Moment, moments
from dashboard.text import _


def time_slider(record: RunRecord, *, key: str) -> Moment | None:
    """The chosen moment of this run, the newest one as long as nobody moves it; None before the first checkpoint."""
    kept = moments(record)
    if not kept:
        st.text(_("The first checkpoint is not there yet; these are the initial weights."))
        return None
    by_step = {one.step: one for one in kept}
    newest = next(one for one in kept if one.is_newest)
    chosen = selection.moment(record.id)
    present = newest if chosen is None else by_step.get(chosen, newest)

    def choose() -> None:
        moved = st.session_state[key]
        selection.choose_moment(record.id, None if moved == newest.step else moved)

    if len(kept) > 1:
        st.session_state[key] = present.step
        st.select_slider(_("Weights after step"), list(by_step), key=key, on_change=choose, format_func=lambda n: f"{n:,}")
    return present
