"""What the model does over many examples: which columns matter and how, where it looks in each class, what words do."""

from dataclasses import replace

import streamlit as st

from core.data.dataset import Modality
from core.explanation.explainer import ExplainerChoice
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.explanation.text_gradient import LayerIntegratedGradients
from core.explanation.text_shap import ShapText
from core.jobs.global_lenses import GlobalMapsJob, GlobalWordsJob
from core.models.model import all_layers
from core.results.global_view import GlobalMaps, GlobalWords
from dashboard.figures.global_bars import alt_bars, repeated, word_bars
from dashboard.figures.global_maps import alt_text, global_maps_figure
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.explain_question import Question
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.global_ask import asked_for, cost_words, explained_words, many_job, with_class
from dashboard.widgets.global_dependence import global_dependence
from dashboard.widgets.global_table import global_table
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

NUMBERS = (25, 50, 100, 200, 500)
METHODS: dict[Modality, tuple[ExplainerChoice, ...]] = {
    "image": (GradCam(), IntegratedGradients()),
    "sequence": (LayerIntegratedGradients(), ShapText()),
}
"""Whose explanations are put together: quick ones. Tables have SHAP."""


def panel(subject: Subject, question: Question, *, key: str) -> None:
    """The view that fits the kind of data."""
    modality = subject.experiment.data.profile().modality
    with st.container(key=f"{key}.controls", horizontal=True, vertical_alignment="bottom"):
        methods = _fitting(subject, modality)
        method = _method(methods, key=f"{key}.method.{modality}") if methods else None
        n = st.selectbox(
            _("Examples"),
            NUMBERS,
            index=2,
            key=f"{key}.n",
            persist_state="session",
            width=120,
            help=_("Of the split that the chosen example is from, with classes as in the whole."),
        )
    n = n or NUMBERS[2]
    if modality == "image" and method is not None:
        _maps(subject, question, method, n, key)
    elif modality == "sequence" and method is not None:
        _words(subject, question, method, n, key)
    elif modality in ("tabular", "points"):
        asked = with_class(subject, question)
        st.caption(plain(explained_words(subject, asked, question)))
        global_table(subject, asked, n, key=key)
        with st.container(border=True, key=f"{key}.card.dependence"):
            global_dependence(subject, asked, n, key=f"{key}.dependence")
    else:
        st.info(_("No method on the menu fits this data and model."), icon=":material/info:")


def _fitting(subject: Subject, modality: Modality) -> list[ExplainerChoice]:
    profile = subject.experiment.data.profile()
    kinds = tuple(layer.kind for _path, layer in all_layers(subject.experiment.model.layers))
    return [method for method in METHODS.get(modality, ()) if method.reason_against(profile, kinds) is None]


def _method(methods: list[ExplainerChoice], *, key: str) -> ExplainerChoice:
    by_kind = {method.kind: method for method in methods}
    chosen = st.selectbox(
        _("Method"),
        list(by_kind),
        key=key,
        persist_state="session",
        width=240,
        format_func=lambda kind: _(by_kind[kind].label),
    )
    return by_kind.get(chosen or "", methods[0])


def _maps(subject: Subject, question: Question, method: ExplainerChoice, n: int, key: str) -> None:
    """Where the method points in the images of each class, on the mean."""
    own_class = replace(question, target=None, contrast=None)  # each image is asked about its own class
    job = many_job(GlobalMapsJob, subject, own_class, method, n=n)

    def show(found: GlobalMaps) -> None:
        figure(global_maps_figure(found, dark=is_dark()), key=f"{key}.maps", alt=alt_text(found))
        st.caption(
            _(
                "Each picture is the mean of the images of a class, and on it the mean size of what the method finds there "
                "for this very class: where the model looks as a rule. It is sharp only where things stand at the same place "
                "in all images."
            )
        )
        st.caption(cost_words(found.n_evaluations, found.seconds))
        download_arrays(found, "mean-maps.npz", key=f"{key}.download")

    if asked_for(job, key=key):
        look(job, GlobalMaps, show, key=f"{key}.maps.look")


def _words(subject: Subject, question: Question, method: ExplainerChoice, n: int, key: str) -> None:
    """What words do, on the mean over the texts that have them."""
    asked = with_class(subject, question)
    st.caption(plain(explained_words(subject, asked, question)))
    job = many_job(GlobalWordsJob, subject, asked, method, n=n)

    def show(found: GlobalWords) -> None:
        shown = repeated(found)
        alt = alt_bars(_("Mean contribution"), [found.words[i] for i in shown], found.means[shown])
        figure(word_bars(found, dark=is_dark()), key=f"{key}.words", alt=alt)
        st.caption(
            _(
                "The mean contribution of a word over all its places in {texts}; whiskers are standard errors. Words that "
                "occur once are in the arrays alone. Wide whiskers: what the word does depends on the words around it."
            ).format(texts=counted("{n} text", "{n} texts", found.n_texts))
        )
        st.caption(cost_words(found.n_evaluations, found.seconds))
        download_arrays(found, "words.npz", key=f"{key}.download")

    if asked_for(job, key=key):
        look(job, GlobalWords, show, key=f"{key}.words.look")
