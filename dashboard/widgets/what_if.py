"""What if: change the example, and see prediction and explanation follow."""

import zlib

import streamlit as st

from core.explanation.explainer import ExplainerChoice
from core.explanation.menu import AnyExplainer
from core.jobs.compare_lenses import PredictionJob
from core.jobs.lenses import ExampleRef, ExplainJob
from core.models.model import all_layers
from core.results.attribution import Attribution
from core.results.prediction import Prediction
from core.spec import choices
from dashboard.figures.what_if import alt_text, before_and_after, in_words
from dashboard.text import _
from dashboard.widgets.attribution import attribution
from dashboard.widgets.explain_question import Question
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject
from dashboard.widgets.what_if_editors import picture_editor, row_editor, text_editor

CHANGED = "what_if.changed."


def panel(subject: Subject, question: Question, *, key: str) -> None:
    """The editor, what the model says before and after, and one explanation of both."""
    changed = _changed(subject, key)
    with st.container():  # progress has its own place: an editor that moved on the page would forget what it can undo
        before = _predicted(subject, None, key)
        after = _predicted(subject, changed, key) if changed else before
    if before is None:
        return
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _editor(before, after or before, subject, key)
    if after is None:
        return
    with right:
        _compared(before, after, key)
    fixed = question if question.target is not None or before.value is not None else _about(question, before)
    _explained(subject, changed, fixed, key)


def _place(subject: Subject, key: str) -> str:
    """Where the change of this example is kept: another example has its own."""
    return f"{CHANGED}{key}.{subject.example.model_dump_json()}"


def _changed(subject: Subject, key: str) -> ExampleRef | None:
    """The example as it was changed by hand; None while nothing is changed."""
    kept = st.session_state.get(_place(subject, key))
    return ExampleRef.model_validate_json(kept) if kept else None


def _predicted(subject: Subject, example: ExampleRef | None, key: str) -> Prediction | None:
    found: list[Prediction] = []
    job = PredictionJob(**(subject.asked() | ({"example": example} if example else {})))
    look(job, Prediction, found.append, key=f"{key}.after" if example else f"{key}.before")
    return found[0] if found else None


def _editor(before: Prediction, present: Prediction, subject: Subject, key: str) -> None:
    place = _place(subject, key)

    def change(example: ExampleRef | None) -> None:
        st.session_state[place] = example.model_dump_json() if example else None

    own = editor_key(subject.example, key)
    modality = subject.experiment.data.original_profile().modality
    if modality == "image":
        picture_editor(before, present, change, key=own)
    elif modality == "sequence":
        text_editor(before, subject.example, change, key=own)
    else:
        row_editor(before, subject.example, change, key=own)


def editor_key(example: ExampleRef, key: str) -> str:
    """What the widget keys of an example's editor begin with: another example begins with its own values."""
    return f"{key}.{zlib.crc32(example.model_dump_json().encode())}"


def _compared(before: Prediction, after: Prediction, key: str) -> None:
    """Probabilities side by side, or the two numbers."""
    words = _("As it is: {before}. Nothing is changed yet.") if after is before else _("As it is: {before}. Changed: {after}.")
    st.text(words.format(before=in_words(before), after=in_words(after)))
    if before.value is None:
        figure(before_and_after(before, after, dark=is_dark()), key=f"{key}.prediction", alt=alt_text(before, after))
    else:
        st.metric(
            before.target_name or _("prediction"),
            f"{after.value:.4g}",
            delta=None if after is before else f"{(after.value or 0.0) - before.value:+.4g}",
            delta_color="off",
        )


def _about(question: Question, before: Prediction) -> Question:
    """The same class before and after, although the model may come to prefer another."""
    target = int(before.probabilities.argmax())
    contrast = None if question.contrast == target else question.contrast
    return Question(target, contrast, question.unit, question.baseline, question.seed)


def _explained(subject: Subject, changed: ExampleRef | None, question: Question, key: str) -> None:
    """One method's explanation of the example as it is, and beside it as it was changed."""
    method = chosen_method(subject, key)
    if method is None:
        return
    examples = {"before": subject.example} | ({"after": changed} if changed else {})
    titles = {"before": _("As it is"), "after": _("Changed")}
    columns = st.columns(2, gap="medium")
    for column, (name, example) in zip(columns, examples.items(), strict=False):
        with column:
            st.markdown(f"**{titles[name]}**")
            job = ExplainJob(explainer=question.of(method), **(subject.asked() | {"example": example}), **question.asked())

            def show(found: Attribution, name: str = name) -> None:
                attribution(found, key=f"{key}.{name}.{found.method}")

            look(job, Attribution, show, key=f"{key}.explained.{name}")


def chosen_method(subject: Subject, key: str) -> ExplainerChoice | None:
    """The method to explain both with, of those that apply."""
    profile = subject.experiment.data.profile()
    kinds = tuple(layer.kind for _path, layer in all_layers(subject.experiment.model.layers))
    methods = [cls() for cls in choices(AnyExplainer)]
    fitting = {one.kind: one for one in methods if one.reason_against(profile, kinds) is None}
    if not fitting:
        st.caption(_("No method on the menu fits this data and model."))
        return None
    preferred = [kind for kind in ("integrated_gradients", "shap_tabular", "shap_text") if kind in fitting]
    kinds_shown = list(fitting)
    chosen = st.selectbox(
        _("Explained by"),
        kinds_shown,
        index=kinds_shown.index(preferred[0]) if preferred else 0,
        key=f"{key}.method",
        persist_state="session",
        format_func=lambda kind: _(fitting[kind].label),
        width=280,
    )
    return fitting[chosen or kinds_shown[0]]
