"""The weights lens: neurons and lines, weights as pictures, and weights and gradients over all kept moments."""

import streamlit as st

from core.jobs.weight_lenses import reason_against_neurons
from dashboard.text import _
from dashboard.widgets import inspect_filters, inspect_neurons, inspect_weights_time
from dashboard.widgets.subject import Subject

VIEWS = {
    "neurons": inspect_neurons.panel,
    "filters": inspect_filters.panel,
    "histograms": inspect_weights_time.histograms,
    "gradients": inspect_weights_time.gradients,
}
CHOSEN = "subject.weights_view"
"""The view that this visitor looks at: two panels side by side show the same one."""


def panel(subject: Subject, *, key: str) -> None:
    """A choice of views; only the one that is seen is computed."""
    labels = {
        "neurons": _("Neurons and lines"),
        "filters": _("Weights as pictures"),
        "histograms": _("Histograms over time"),
        "gradients": _("Gradients and updates"),
    }
    name, shared = f"{key}.view", st.session_state.get(CHOSEN)
    known = "filters" if reason_against_neurons(subject.experiment) else "neurons"
    st.session_state[name] = shared if shared in VIEWS else known

    def choose() -> None:
        st.session_state[CHOSEN] = st.session_state[name]

    st.segmented_control(
        _("Weights and gradients"),
        list(VIEWS),
        key=name,
        on_change=choose,
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    chosen = str(st.session_state[name])
    VIEWS[chosen](subject, key=f"{key}.{chosen}")
