"""One smaller model, with size, speed, accuracy and agreement beside the original."""

from typing import Any

import streamlit as st

from core.compression.distillation import Distillation
from core.compression.menu import AnyCompression
from core.compression.pruning import MagnitudePruning
from core.data.gallery import SplitName
from core.errors import LayerwiseError
from core.jobs.compress import CompressJob
from core.jobs.lenses import ExampleRef
from core.jobs.menu import parse_job
from core.models.model import ModelSpec, infer
from core.results.compression import CompressionReport
from core.spec import parse_json
from dashboard.session import resources, state
from dashboard.text import _, counted, duration
from dashboard.widgets.choice_form import choice_form
from dashboard.widgets.compress_result import result
from dashboard.widgets.compress_words import plan_words
from dashboard.widgets.failure import plain
from dashboard.widgets.lens import is_wanted, look, want
from dashboard.widgets.presets import fitting_presets, preset_model
from dashboard.widgets.split_choice import split_choice
from dashboard.widgets.subject import Subject

FORM_PX = 720
NARROWER, ON_BUILD = "narrower", "build"


def panel(subject: Subject, *, key: str) -> None:
    """One smaller model, with size, speed, accuracy and agreement beside the original."""
    _where_it_is_from(subject, key)
    job = _asked(subject, key)
    if reason := _reason(job):
        st.info(plain(reason), icon=":material/block:")
        return
    for words in plan_words(job, job.plan()):
        st.caption(plain(words))
    is_asked = is_wanted(job, key=key)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Compress"),
            key=f"{key}.start",
            on_click=want,
            args=(job, key),
            disabled=is_asked,
            type="primary",
            icon=":material/compress:",
        )
        st.caption(_cost(job))
    if is_asked:
        look(job, CompressionReport, lambda report: result(job, report, key=f"{key}.result"), key=key)


def _where_it_is_from(subject: Subject, key: str) -> None:
    """A model that was compressed says so, and leads back to the one that it was made of."""
    record = resources.reader().run(subject.run) if subject.run else None
    if record is None or record.kind != "compress":
        return
    made = parse_job(record.job)
    if not isinstance(made, CompressJob):
        return
    source = resources.reader().run(made.weights.run) if made.weights else None

    def back() -> None:
        if source is not None:
            state.set_experiment(state.experiment_of(source.job))
            state.set_run(source.id)

    with st.container(horizontal=True, vertical_alignment="center"):
        words = _("This is a compressed model already: {how}.").format(how=_(made.compression.label))
        st.info(words, icon=":material/compress:")
        if source is not None:
            st.button(_("Back to the original"), key=f"{key}.back", on_click=back, icon=":material/undo:")


def _asked(subject: Subject, key: str) -> CompressJob:
    """What the visitor wants to be done."""
    kept = f"{key}.compression"
    present: Any = parse_json(AnyCompression, st.session_state[kept]) if kept in st.session_state else MagnitudePruning()  # type: ignore[arg-type]

    def keep(changed: Any) -> None:
        st.session_state[kept] = changed.model_dump_json()

    with st.container(width=FORM_PX):
        choice_form(AnyCompression, present, key=f"{key}.form", label=_("How"), on_change=keep)
        st.caption(_("Source: {source}").format(source=plain(present.source)))
    with st.container(horizontal=True):
        student = _student(subject, key) if isinstance(present, Distillation) else None
        split = split_chosen(key)
    looked_at = subject.asked() | {"example": ExampleRef()}  # another example makes no other model
    return CompressJob(**looked_at, compression=present, student=student, split=split)


def split_chosen(key: str) -> SplitName:
    """Where the smaller model is measured."""
    about = _("Choose with the validation split; the test split is for the last look.")
    return split_choice(_("Measured on"), ("validation", "test", "train"), key=f"{key}.split", width=220, about=about)


def _student(subject: Subject, key: str) -> ModelSpec | None:
    """The stack that learns: the same one narrower, a preset, or what the visitor has on the Build screen."""
    experiment = subject.experiment
    offered: dict[str, ModelSpec | None] = {NARROWER: None}
    labels = {NARROWER: _("The same stack, narrower")}
    on_build = state.experiment().model
    if on_build != experiment.model and state.experiment().data == experiment.data:
        offered[ON_BUILD], labels[ON_BUILD] = on_build, _("The stack on the Build screen")
    for each in fitting_presets(experiment):
        offered[each.name], labels[each.name] = preset_model(each, experiment), _(each.label)
    chosen = st.selectbox(
        _("Smaller stack"),
        list(offered),
        key=f"{key}.student",
        persist_state="session",
        format_func=labels.__getitem__,
        width=360,
        help=_("Build one of your own on the Build screen, and it is offered here."),
    )
    return offered.get(chosen)


def _reason(job: CompressJob) -> str:
    """Why this cannot be done; empty when it can."""
    try:
        job.check(resources.settings())
    except LayerwiseError as error:
        return str(error)
    return ""


def _cost(job: CompressJob) -> str:
    """What will come of it and how long that takes."""
    shape = job.experiment.data.profile().input_shape
    before, after = (infer(model, shape).n_parameters for model in (job.experiment.model, job.plan().model))
    words = _("about {time}").format(time=duration(job.seconds))
    if after != before:
        n = counted("{n} parameter", "{n} parameters", after)
        words = _("{n} in place of {before:,}, {words}").format(n=n, before=before, words=words)
    return words
