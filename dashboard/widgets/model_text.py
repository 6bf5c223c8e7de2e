"""The model as code and as text, beside the stack: to read, to copy, to download, and to change."""

from collections.abc import Callable

import streamlit as st

from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.models.code import model_source
from core.models.model import ModelSpec
from core.models.text import Form, architecture_text, model_from_text
from dashboard.text import _
from dashboard.widgets.failure import problem

PROBLEM = "model_text.problem"
ENDINGS = {"yaml": "application/yaml", "json": "application/json"}


def model_code(experiment: Experiment, *, key: str) -> None:
    """PyTorch source of the model, which gives the very weights that training starts from."""
    source = model_source(experiment.model, experiment.data.profile().input_shape, seed=experiment.seed)
    st.code(source, language="python", wrap_lines=True)  # a box that scrolls could not be reached by keyboard
    st.download_button(
        _("Download the code (Python)"),
        source,
        "model.py",
        "text/x-python",
        key=f"{key}.download",
        icon=":material/download:",
        on_click="ignore",
    )


def model_text(model: ModelSpec, *, key: str, on_use: Callable[[ModelSpec], None]) -> None:
    """The architecture as text that can be edited; what is wrong with an edit is said below, and nothing is lost."""
    form: Form = st.segmented_control(
        _("Written as"), ["yaml", "json"], default="yaml", required=True, key=f"{key}.form", format_func=str.upper
    )
    written = architecture_text(model, form)
    area, seen = f"{key}.area", f"{key}.seen"
    if st.session_state.get(seen) != written:  # the stack was changed elsewhere
        st.session_state[seen] = st.session_state[area] = written
        st.session_state[PROBLEM] = ""

    def apply() -> None:
        try:
            changed = model_from_text(st.session_state[area])
        except SpecError as error:
            st.session_state[PROBLEM] = str(error)
            return
        st.session_state[PROBLEM] = ""
        on_use(changed.but(weights=model.weights))

    st.text_area(_("Architecture"), key=area, height=360, help=_("Defaults are left out. Press Apply after a change."))
    with st.container(horizontal=True):
        st.button(_("Apply"), key=f"{key}.apply", on_click=apply, icon=":material/check:")
        st.download_button(
            _("Download the architecture"),
            written,
            f"model.{form}",
            ENDINGS[form],
            key=f"{key}.download",
            icon=":material/download:",
            on_click="ignore",
        )
    if words := st.session_state.get(PROBLEM):
        problem(words)
