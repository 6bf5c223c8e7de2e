"""One look pinned, the present one beside it: the same panel twice, for two moments, lanes, runs or examples."""

from typing import Any, Protocol

import streamlit as st

from core.errors import LayerwiseError
from core.experiment.codec import file_text, from_file_text
from core.jobs.job import ArtifactRef
from core.jobs.lenses import ExampleRef
from dashboard.session import lesson, state
from dashboard.text import _
from dashboard.widgets.failure import failure
from dashboard.widgets.subject import Subject, series_names

PINNED = "compare.pinned"
SHORT_RUN = 6
"""Letters of a run's id that tell it apart."""


class Panel(Protocol):
    """What shows one subject. All its widget keys begin with `key`, so that it can stand on a page twice."""

    def __call__(self, subject: Subject, *, key: str) -> None: ...


def side_by_side(subject: Subject, panel: Panel, *, key: str) -> None:
    """The panel of the present subject, and where one is pinned, of both."""
    pinned = pinned_subject()
    if pinned is None:
        panel(subject, key=key)
        return
    left, right = st.columns(2, gap="medium", border=True)
    with left:
        st.markdown(f"**{_('Pinned')}**")
        st.text(in_words(pinned))
        try:
            panel(pinned, key=f"{key}.pinned")
        except LayerwiseError as error:  # its run may be gone
            failure(error)
    with right:
        st.markdown(f"**{_('Present')}**")
        st.text(in_words(subject))
        panel(subject, key=key)


def pin_button(subject: Subject, *, key: str) -> None:
    """Pins what is looked at, or lets go of what is pinned."""
    if st.session_state.get(PINNED) is None:
        if lesson.is_hidden("compare"):
            return
        st.button(
            _("Pin to compare"),
            key=f"{key}.pin",
            on_click=pin,
            args=(subject,),
            icon=":material/push_pin:",
            help=_("Keeps this moment, lane and example in view, beside what you choose next."),
        )
        return
    st.button(_("Unpin"), key=f"{key}.unpin", on_click=unpin, icon=":material/close:")


def pin(subject: Subject) -> None:
    """Keep this subject in view."""
    st.session_state[PINNED] = {
        "experiment": file_text(subject.experiment),
        "weights": subject.weights.model_dump() if subject.weights else None,
        "example": subject.example.model_dump(),
        "run": subject.run,
        "step": subject.step,
        "series": subject.series,
    }


def unpin() -> None:
    st.session_state[PINNED] = None


def pinned_subject() -> Subject | None:
    """What is pinned, parsed from plain data."""
    kept: dict[str, Any] | None = st.session_state.get(PINNED)
    if kept is None:
        return None
    return Subject(
        from_file_text(kept["experiment"]),
        ArtifactRef(**kept["weights"]) if kept["weights"] else None,
        ExampleRef(**kept["example"]),
        kept["run"],
        kept["step"],
        kept["series"],
    )


def in_words(subject: Subject) -> str:
    """Run, lane, moment and example of a subject, in a line."""
    parts = [_("step {step:,}").format(step=subject.step)]
    if subject.run and subject.run != state.run_id():
        parts.insert(0, _("run {run}").format(run=subject.run[:SHORT_RUN]))
    names = series_names(subject.experiment)
    if len(names) > 1 and subject.series < len(names):
        parts.append(names[subject.series])
    example = subject.example
    if example.file:
        parts.append(_("own picture"))
    else:
        splits = {"train": _("training"), "validation": _("validation"), "test": _("test")}
        parts.append(_("{split} example {index}").format(split=splits[example.split], index=example.index))
    return " · ".join(parts)
