"""One prediction, several methods side by side, each with its figures of trust."""

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.data.dataset import DataProfile
from core.experiment.experiment import Experiment
from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.jobs.lenses import ExplainJob
from core.models.model import all_layers
from core.results.attribution import Attribution
from core.spec import choices
from dashboard.figures.attribution import has_evidence, picture_alt_text, picture_figure, shared_limits
from dashboard.session import methods
from dashboard.text import _
from dashboard.widgets.attribution import MAP_HEIGHT, MAP_VIEWS, Shown, answer, attribution
from dashboard.widgets.explain_question import Question
from dashboard.widgets.explain_settings import settings
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.kept_drawing import kept_drawing
from dashboard.widgets.lens import ask_together, look
from dashboard.widgets.subject import Subject
from dashboard.widgets.trust import ask_for_tests, trust_line

NARROWEST = 310
"""Pixels that a method's panel needs: four side by side on a wide screen, two on a narrow one."""
NARROWEST_BARS = 430
USUAL = {
    "image": ("grad_cam", "integrated_gradients", "lime_image", "shap_superpixels"),
    "tabular": ("integrated_gradients", "shap_tabular", "lime_tabular"),
    "points": ("integrated_gradients", "shap_tabular", "lime_tabular"),
    "sequence": ("shap_text", "layer_integrated_gradients", "lime_text"),
}
"""What is shown at first: fast enough to appear together within seconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """An explanation that is there, the job that gave it, and the place on the page where it belongs."""

    job: ExplainJob
    result: Attribution
    place: Any


def panel(subject: Subject, question: Question, *, key: str) -> None:
    """The methods that the visitor has chosen, out of all that apply."""
    profile, kinds = subject.experiment.data.profile(), _kinds(subject.experiment)
    menu = [methods.as_set(cls) for cls in choices(AnyExplainer)]
    fitting = [method for method in menu if method.reason_against(profile, kinds) is None]
    left_out = [method for method in menu if method not in fitting]
    if not fitting:
        st.info(_("No method on the menu fits this data and model."), icon=":material/info:")
        _left_out(left_out, subject, expanded=True)
        return
    chosen = _chosen(fitting, profile, key)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.controls"):
        view, same_scale = _how(profile, key)
    if not chosen:
        st.info(_("Choose a method above."), icon=":material/info:")
    said = st.container(key=f"{key}.said")
    narrowest = NARROWEST if profile.modality == "image" else NARROWEST_BARS
    with st.grid(min_column_width=narrowest, gap="small", key=f"{key}.methods"):
        picture = st.container(border=True, key=f"{key}.picture") if profile.modality == "image" and chosen else None
        jobs = {
            method.kind: ExplainJob(explainer=question.of(method), **subject.asked(), **question.asked()) for method in chosen
        }
        ask_together({f"{key}.{kind}": job for kind, job in jobs.items()})
        found = [one for method in chosen for one in _asked(method, jobs[method.kind], subject, key)]
    with said if picture is None else picture:
        _explained([one.result for one in found], key)
    limits = shared_limits([one.result for one in found]) if same_scale else [None] * len(found)
    ask_for_tests({f"{key}.{one.result.method}": (one.job, one.result) for one in found})
    for one, limit in zip(found, limits, strict=True):
        with one.place:
            place = f"{key}.{one.result.method}"
            attribution(one.result, view=view, limit=limit, with_answer=False, key=place)
            trust_line(one.job, one.result, key=place)
    _left_out(left_out, subject)


def _kinds(experiment: Experiment) -> tuple[str, ...]:
    """Of all layers, also inside others."""
    return tuple(layer.kind for _path, layer in all_layers(experiment.model.layers))


def _chosen(fitting: list[ExplainerChoice], profile: DataProfile, key: str) -> list[ExplainerChoice]:
    """The methods to show, in the order of the Menu: the fast ones first."""
    by_kind = {method.kind: method for method in fitting}
    widget = f"{key}.shown"
    st.session_state[widget] = methods.shown(profile.modality, list(by_kind), USUAL[profile.modality])

    def choose() -> None:
        methods.choose_shown(profile.modality, st.session_state[widget], list(by_kind))

    st.pills(
        _("Methods"),
        list(by_kind),
        selection_mode="multi",
        key=widget,
        on_change=choose,
        format_func=lambda kind: _(by_kind[kind].label),
    )
    return [method for method in fitting if method.kind in st.session_state[widget]]


def _how(profile: DataProfile, key: str) -> tuple[Shown, bool]:
    """How explanations are drawn, and whether those with the same unit share a scale."""
    if profile.modality == "sequence":
        return "bars", False
    labels: dict[Shown, str] = {"bars": _("contributions"), "waterfall": _("from base to output")}
    help_text = _("From base to output: for methods whose contributions add up. LIME's do not.")
    if profile.modality == "image":
        views = {"overlay": _("over the image"), "map": _("map alone"), "abs": _("size only")}
        labels = {view: views[view] for view in MAP_VIEWS}
        help_text = _("Size only: how much a pixel matters, whichever way. Of gradient methods this often points best.")
    first = next(iter(labels))
    view: Shown | None = st.segmented_control(
        _("Show"),
        list(labels),
        default=first,
        key=f"{key}.view.{profile.modality}",
        persist_state="session",
        format_func=labels.__getitem__,
        help=help_text,
        required=True,
    )
    same = st.toggle(
        _("Same scale"),
        key=f"{key}.same_scale",
        persist_state="session",
        help=_(
            "Methods that measure the same share one scale, so that their colours, or bars, can be compared. Pixels and "
            "patches do not share one: a patch has the value of all its pixels."
        ),
    )
    return view or first, same


def _asked(method: ExplainerChoice, job: ExplainJob, subject: Subject, key: str) -> list[Found]:
    """The frame of one method with its name, settings and progress; what it found, once it has."""
    found: list[Found] = []
    with st.container(border=True, key=f"{key}.panel.{method.kind}"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{_(method.label)}**", help=f"{_(type(method).__doc__ or '')}\n\n{method.source}", width="content")
            settings(method, subject.experiment, key=f"{key}.settings.{method.kind}")
        place = st.container(key=f"{key}.found.{method.kind}", gap="small")
        look(job, Attribution, lambda result: found.append(Found(job, result, place)), key=f"{key}.{method.kind}")
    return found


def _explained(found: list[Attribution], key: str) -> None:
    """What is explained, once for all methods; it comes with the first of them."""
    if not found:
        st.caption(_("What is explained comes with the first explanation."))
        return
    first = found[0]
    if first.pixels is not None:
        st.markdown(f"**{_('The picture')}**")
        drawing = kept_drawing(_picture, first, dark=is_dark())
        figure(drawing, key=f"{key}.picture.figure", alt=picture_alt_text(first))
    st.text(answer(first))
    if first.pixels is not None and has_evidence(first):
        st.caption(_("Dotted: the pixels that decide the right class. Here it is known where an explanation should point."))


def _picture(found: Attribution, *, dark: bool) -> go.Figure:
    return picture_figure(found, dark=dark).update_layout(title_text="", margin_t=8, height=MAP_HEIGHT)


def _left_out(left_out: list[ExplainerChoice], subject: Subject, *, expanded: bool = False) -> None:
    """Why the other methods are not here."""
    if not left_out:
        return
    profile, kinds = subject.experiment.data.profile(), _kinds(subject.experiment)
    with st.expander(_("Methods that do not apply here"), expanded=expanded):
        for method in left_out:
            st.text(f"{_(method.label)}: {method.reason_against(profile, kinds)}")
