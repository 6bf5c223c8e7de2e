"""Why did the model say that: several methods side by side for one example and class, each with its figures of trust."""

import streamlit as st

from core.data.dataset import DataProfile
from core.experiment.experiment import Experiment
from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.jobs.lenses import ExplainJob
from core.models.model import all_layers
from core.results.attribution import Attribution
from core.spec import choices
from dashboard.text import _
from dashboard.widgets.attribution import attribution
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject, choose_subject

SEED = 0
NARROWEST = 310
"""Pixels that a method's panel needs: four side by side on a wide screen, two on a narrow one."""
NARROWEST_BARS = 430
VIEWS = ("overlay", "map", "abs")


def render() -> None:
    """The Explain screen."""
    subject = choose_subject(screen="explain")
    if subject is None:
        return
    profile = subject.experiment.data.profile()
    kinds = _kinds(subject.experiment)
    methods = [cls() for cls in choices(AnyExplainer)]
    fitting = [method for method in methods if method.reason_against(profile, kinds) is None]
    if not fitting:
        st.info(_("No method on the menu fits this data and model."), icon=":material/info:")
        _left_out(methods, subject, expanded=True)
        return
    with st.container(key="explain.controls", horizontal=True, vertical_alignment="bottom"):
        target = _target(profile)
        seed = st.number_input(
            _("Seed"),
            0,
            2**31 - 1,
            SEED,
            key="explain.seed",
            persist_state="session",
            width=140,
            help=_("Of LIME's and SHAP's sampling."),
        )
        view = _view() if profile.modality == "image" else "overlay"
    narrowest = NARROWEST if profile.modality == "image" else NARROWEST_BARS
    with st.grid(min_column_width=narrowest, gap="small", key="explain.methods"):
        for method in fitting:
            with st.container(border=True, key=f"explain.panel.{method.kind}"):
                _method(method, subject, target, seed, view)
    _left_out([method for method in methods if method not in fitting], subject)


def _kinds(experiment: Experiment) -> tuple[str, ...]:
    """Of all layers, also inside others."""
    return tuple(layer.kind for _path, layer in all_layers(experiment.model.layers))


def _target(profile: DataProfile) -> int | None:
    """The class to explain; None for the predicted one, and for the one number of a regression."""
    if profile.task == "regression":
        return None
    class_names = profile.class_names
    options = [None, *range(len(class_names))]
    return st.selectbox(
        _("Explain the class"),
        options,
        key="explain.target",
        persist_state="session",
        format_func=lambda target: _("the predicted one") if target is None else class_names[target],
        width=220,
    )


def _view() -> str:
    labels = {"overlay": _("over the image"), "map": _("map alone"), "abs": _("size only")}
    return (
        st.segmented_control(
            _("Show"), VIEWS, default="overlay", key="explain.view", persist_state="session", format_func=labels.__getitem__
        )
        or "overlay"
    )


def _method(method: ExplainerChoice, subject: Subject, target: int | None, seed: int, view: str) -> None:
    """One method: its name and what it says, then its result."""
    st.markdown(f"**{_(method.label)}**", help=_(type(method).__doc__ or ""))
    job = ExplainJob(
        experiment=subject.experiment,
        weights=subject.weights,
        example=subject.example,
        explainer=method,
        target=target,
        seed=seed,
    )

    def show(found: Attribution) -> None:
        attribution(found, method.kind, view=view)

    look(job, Attribution, show, key=f"explain.{method.kind}")


def _left_out(methods: list[ExplainerChoice], subject: Subject, *, expanded: bool = False) -> None:
    """Why the other methods are not here."""
    if not methods:
        return
    profile, kinds = subject.experiment.data.profile(), _kinds(subject.experiment)
    with st.expander(_("Methods that do not apply here"), expanded=expanded):
        for method in methods:
            st.text(f"{_(method.label)}: {method.reason_against(profile, kinds)}")
