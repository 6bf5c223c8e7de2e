"""What is to be known of the run before its figures are read."""

import streamlit as st

from core.events import Failed
from dashboard.session import resources, state
from dashboard.text import _
from dashboard.widgets.subject import Subject


def tell_of_failure(subject: Subject) -> None:
    """A warning where the run has failed: its newest weights are those that it kept last, maybe from before any training."""
    record = state.run()
    if record is None or record.id != subject.run or record.state != "failed":
        return
    ends = [logged.event for logged in resources.reader().events(record.id, name="Failed")]
    is_diverged = bool(ends) and isinstance(ends[-1], Failed) and ends[-1].code == "diverged"
    words = _("This run diverged.") if is_diverged else _("This run failed.")
    if subject.step:
        words += " " + _("What is shown is the model after step {step:,}, from before that.").format(step=subject.step)
    else:
        words += " " + _("What is shown is the untrained model, the last one that it kept.")
    st.warning(words + " " + _("Train says what went wrong, and what may help."), icon=":material/warning:")
