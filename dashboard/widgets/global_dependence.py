"""Partial dependence: one column is moved, the rest of each example stays."""

import streamlit as st

from core.explanation.columns import columns_of
from core.explanation.shap_tabular import ShapTabular
from core.jobs.global_lenses import PartialDependenceJob
from core.results.partial_dependence import PartialDependence
from dashboard.figures.partial_dependence import alt_text, partial_dependence_figure
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.explain_question import Question
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.global_ask import asked_for, many_job
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject


def global_dependence(subject: Subject, question: Question, n: int, *, key: str) -> None:
    """A column to choose, and what the model says along it."""
    st.markdown(f"**{_('What if one column were different')}**")
    columns = columns_of(subject.experiment.data)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            _("Column"),
            range(len(columns)),
            key=f"{key}.column",
            persist_state="session",
            width=260,
            format_func=lambda i: columns[i].name,
        )
        is_centred = st.toggle(
            _("Begin at 0"),
            key=f"{key}.centred",
            persist_state="session",
            help=_("Every line begins at 0. Lines that part are examples for which the column acts differently."),
        )
    job = many_job(PartialDependenceJob, subject, question, ShapTabular(), n=n, column=min(chosen or 0, len(columns) - 1))
    job = job.but(explained=job.explained.but(example=subject.example))

    def show(found: PartialDependence) -> None:
        drawing = partial_dependence_figure(found, centred=is_centred, dark=is_dark())
        figure(drawing, key=f"{key}.figure", alt=alt_text(found))
        st.caption(
            _(
                "Each line is one example whose other columns stay as they are; ticks below show where examples are. Where "
                "there are few, and where a value does not go with the rest of an example, the model guesses."
            )
        )
        download_arrays(found, f"along-{job.column}.npz", key=f"{key}.download")

    if asked_for(job, key=key):
        look(job, PartialDependence, show, key=f"{key}.look")
