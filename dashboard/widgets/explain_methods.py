"""One prediction, several methods side by side, each with its figures of trust."""

import streamlit as st

from core.experiment.experiment import Experiment
from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.jobs.lenses import ExplainJob
from core.models.model import all_layers
from core.results.attribution import Attribution
from core.spec import choices
from dashboard.figures.attribution import View
from dashboard.text import _
from dashboard.widgets.attribution import attribution
from dashboard.widgets.explain_question import Question
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

NARROWEST = 310
"""Pixels that a method's panel needs: four side by side on a wide screen, two on a narrow one."""
NARROWEST_BARS = 430
VIEWS: tuple[View, ...] = ("overlay", "map", "abs")


def panel(subject: Subject, question: Question, *, key: str) -> None:
    """All methods that apply."""
    profile = subject.experiment.data.profile()
    kinds = _kinds(subject.experiment)
    methods = [cls() for cls in choices(AnyExplainer)]
    fitting = [method for method in methods if method.reason_against(profile, kinds) is None]
    if not fitting:
        st.info(_("No method on the menu fits this data and model."), icon=":material/info:")
        _left_out(methods, subject, expanded=True)
        return
    view: View = _view(key) if profile.modality == "image" else "overlay"
    narrowest = NARROWEST if profile.modality == "image" else NARROWEST_BARS
    with st.grid(min_column_width=narrowest, gap="small", key=f"{key}.methods"):
        for method in fitting:
            with st.container(border=True, key=f"{key}.panel.{method.kind}"):
                _method(question.of(method), subject, question, view, key)
    _left_out([method for method in methods if method not in fitting], subject)


def _kinds(experiment: Experiment) -> tuple[str, ...]:
    """Of all layers, also inside others."""
    return tuple(layer.kind for _path, layer in all_layers(experiment.model.layers))


def _view(key: str) -> View:
    labels = {"overlay": _("over the image"), "map": _("map alone"), "abs": _("size only")}
    chosen: View | None = st.segmented_control(
        _("Show"), VIEWS, default="overlay", key=f"{key}.view", persist_state="session", format_func=labels.__getitem__
    )
    return chosen or "overlay"


def _method(method: ExplainerChoice, subject: Subject, question: Question, view: View, key: str) -> None:
    """One method: its name and what it says, then its result."""
    st.markdown(f"**{_(method.label)}**", help=_(type(method).__doc__ or ""))
    job = ExplainJob(explainer=method, **subject.asked(), **question.asked())

    def show(found: Attribution) -> None:
        attribution(found, view=view, key=f"{key}.{method.kind}")

    look(job, Attribution, show, key=f"{key}.{method.kind}")


def _left_out(methods: list[ExplainerChoice], subject: Subject, *, expanded: bool = False) -> None:
    """Why the other methods are not here."""
    if not methods:
        return
    profile, kinds = subject.experiment.data.profile(), _kinds(subject.experiment)
    with st.expander(_("Methods that do not apply here"), expanded=expanded):
        for method in methods:
            st.text(f"{_(method.label)}: {method.reason_against(profile, kinds)}")
