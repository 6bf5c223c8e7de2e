"""What the linters found, each with its one-click fix."""

from collections.abc import Sequence

import streamlit as st

from core.diagnostics import Diagnostic
from core.experiment.experiment import Experiment
from dashboard.session import state
from dashboard.text import _

LOOK = {
    "error": (":material/error:", "red", "Must be mended"),
    "warning": (":material/warning:", "orange", "Worth a look"),
    "info": (":material/info:", "blue", "Good to know"),
}


def findings(found: Sequence[Diagnostic], *, screen: str) -> None:
    """The list; nothing where nothing was found."""
    for index, finding in enumerate(found):
        icon, color, words = LOOK[finding.severity]
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.badge(_(words), icon=icon, color=color)  # type: ignore[arg-type]
            st.text(f"{finding.message} {finding.hint}", width="stretch")
            if finding.fix is not None and isinstance(finding.fix.spec, Experiment):
                st.button(
                    _("Fix: {change}").format(change=finding.fix.label),
                    key=f"{screen}.fix.{index}.{finding.code}",
                    on_click=state.set_experiment,
                    args=(finding.fix.spec,),
                )
