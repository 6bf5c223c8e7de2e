"""Why did the model say that: several methods side by side for one example and class, each with its figures of trust."""

import streamlit as st

from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.jobs.lenses import ExplainJob
from core.results.attribution import Attribution
from core.results.codec import result_bytes
from core.spec import choices
from dashboard.figures import attribution as attribution_figures
from dashboard.figures.bars import alt_text as bars_alt_text
from dashboard.figures.bars import contribution_bars
from dashboard.text import _, counted
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
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
    kinds = tuple(layer.kind for layer in subject.experiment.model.layers)
    methods = [cls() for cls in choices(AnyExplainer)]
    fitting = [method for method in methods if method.reason_against(profile, kinds) is None]
    with st.container(key="explain.controls", horizontal=True, vertical_alignment="bottom"):
        target = _target(profile.class_names)
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
    if not fitting:
        st.info(_("No method on the menu fits this data and model."), icon=":material/info:")
    narrowest = NARROWEST if profile.modality == "image" else NARROWEST_BARS
    with st.grid(min_column_width=narrowest, gap="small", key="explain.methods"):
        for method in fitting:
            with st.container(border=True, key=f"explain.panel.{method.kind}"):
                _method(method, subject, target, seed, view)
    _left_out([method for method in methods if method not in fitting], subject)


def _target(class_names: tuple[str, ...]) -> int | None:
    """The class to explain; None for the predicted one."""
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
        _attribution(found, method.kind, view)

    look(job, Attribution, show, key=f"explain.{method.kind}")


def _attribution(found: Attribution, kind: str, view: str) -> None:
    """The picture or the bars, and below them what there is to judge them by."""
    dark = is_dark()
    if found.pixels is not None:
        drawing = attribution_figures.attribution_figure(found, view=view, dark=dark)  # type: ignore[arg-type]
        drawing.update_layout(title_text="", margin_t=8, height=300)  # the panel has the title
        figure(drawing, key=f"explain.figure.{kind}", alt=attribution_figures.alt_text(found))
    else:
        drawing = contribution_bars(found, dark=dark)
        drawing.update_layout(title_text="", margin_t=8)
        figure(drawing, key=f"explain.figure.{kind}", alt=bars_alt_text(found))
    st.text("  ·  ".join(_trust(found)))
    for note in found.notes:
        st.caption(plain(note))
    st.download_button(
        _("Download arrays (NPZ)"),
        lambda: result_bytes(found),
        f"{kind}.npz",
        key=f"explain.download.{kind}",
        icon=":material/download:",
    )


def _trust(found: Attribution) -> list[str]:
    """The figures to judge an explanation by, in words."""
    unit = _("output") if found.unit == "relative" else _(found.unit)
    words = [
        _("{name}: {unit} {output:.3f}, probability {p:.1%}").format(
            name=found.target_name, unit=unit, output=found.output, p=found.probability
        )
    ]
    if found.base is not None:
        base = _("base value {base:.3f}") if found.fit_r2 is None else _("intercept {base:.3f}")
        words.append(base.format(base=found.base))
    if found.residual is not None:
        words.append(_("additivity residual {residual:.1e}").format(residual=found.residual))
    if found.fit_r2 is not None:
        words.append(_("R² of the fit {r2:.2f}").format(r2=found.fit_r2))
    if found.seed is not None:
        words.append(_("seed {seed}").format(seed=found.seed))
    evaluations = counted("{n} evaluation", "{n} evaluations", found.n_evaluations)
    words.append(_("{evaluations} in {s:.2f} s").format(evaluations=evaluations, s=found.seconds))
    return words


def _left_out(methods: list[ExplainerChoice], subject: Subject) -> None:
    """Why the other methods are not here."""
    if not methods:
        return
    profile = subject.experiment.data.profile()
    kinds = tuple(layer.kind for layer in subject.experiment.model.layers)
    with st.expander(_("Methods that do not apply here")):
        for method in methods:
            st.text(f"{_(method.label)}: {method.reason_against(profile, kinds)}")
