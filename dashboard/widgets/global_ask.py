"""Asking about many examples: the job, its price before it runs, and its arrays to take along."""

from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from core.data.gallery import SplitName
from core.explanation.explainer import ExplainerChoice
from core.jobs.global_lenses import ManyJob
from core.jobs.lenses import ExampleRef, ExplainJob
from dashboard.text import _, counted, duration
from dashboard.widgets.explain_question import Question
from dashboard.widgets.lens import is_wanted, want
from dashboard.widgets.subject import SPLITS, Subject

J = TypeVar("J", bound=ManyJob)
AUTOMATIC_S = 3.0
"""What takes longer is done when asked for: lenses share one worker with all visitors."""


def with_class(subject: Subject, question: Question) -> Question:
    """The question about one class, the same for all examples: the chosen one, else the last of two or the first of many."""
    names = subject.experiment.data.profile().class_names
    if question.target is not None or not names:
        return question
    default = 1 if len(names) == 2 else 0
    if question.contrast == default:
        default = next(one for one in range(len(names)) if one != default)
    return replace(question, target=default)


def explained_words(subject: Subject, asked: Question, question: Question) -> str:
    """Which class it is about, and how to see another one."""
    names = subject.experiment.data.profile().class_names
    if asked.target is None or not names:
        return ""
    about = names[asked.target]
    if asked.contrast is not None:
        about = _("{name} and not {other}").format(name=about, other=names[asked.contrast])
    words = _("Explained for all examples: {about}.").format(about=about)
    return words if question.target is not None else words + " " + _("Choose another class under “Why”.")


def many_job(kind: type[J], subject: Subject, question: Question, method: ExplainerChoice, **fields: Any) -> J:
    """The job on the split of the chosen example. Which example that is does not matter, and so makes no other job."""
    asked = subject.asked() | question.asked() | {"example": ExampleRef()}
    return kind(explained=ExplainJob(explainer=question.of(method), **asked), split=split_of(subject), **fields)


def split_of(subject: Subject) -> SplitName:
    """Where the chosen example is from; an own picture is from nowhere, so that validation is looked at."""
    return SPLITS[0] if subject.example.file else subject.example.split


def asked_for(job: ManyJob, *, key: str) -> bool:
    """Whether the job may run: at once where it is quick, else after a click on a button that tells the price."""
    seconds = job.seconds()
    if seconds <= AUTOMATIC_S or is_wanted(job, key=key):
        return True
    words = _("Look at {examples} (about {time})").format(
        examples=counted("{n} example", "{n} examples", job.n_there()), time=duration(seconds)
    )
    st.button(words, key=f"{key}.ask", on_click=want, args=(job, key), icon=":material/functions:")
    return False


def cost_words(n_evaluations: int, seconds: float) -> str:
    """What a result took."""
    evaluations = counted("{n} evaluation", "{n} evaluations", n_evaluations)
    return _("{evaluations} in {time}.").format(evaluations=evaluations, time=duration(seconds))
