"""Train once per fold; and whether two experiments differ by more than the noise."""

import math

import streamlit as st

from core.experiment.experiment import Experiment
from core.experiment.fold_plan import (
    FEWEST_FOLDS,
    MOST_FOLDS,
    USUAL_FOLDS,
    expected_seconds,
    expected_steps,
    n_pooled,
    reason_against,
)
from core.history import History
from core.jobs.cross_validation import CrossValidationJob
from core.results.cross_validation import CrossValidation
from dashboard.session import resources, state
from dashboard.session.run_history import asked
from dashboard.text import _, counted, duration
from dashboard.widgets.changes import use
from dashboard.widgets.evaluate_folds_paired import paired_test
from dashboard.widgets.evaluate_folds_result import shown
from dashboard.widgets.lens import is_wanted, look, want
from dashboard.widgets.links import open_screen
from dashboard.widgets.subject import Subject

SEEDS = 5
LEAST_S = 3.0
"""Shorter times than this are not told by their figure."""


def panel(subject: Subject, *, key: str) -> None:
    """Train once per fold; and whether two experiments differ by more than the noise."""
    st.subheader(_("Cross-validation"), anchor=False)
    _folds(subject, key)
    st.subheader(_("More seeds"), anchor=False)
    _seeds(subject.experiment, f"{key}.seeds")
    st.subheader(_("Is the difference real?"), anchor=False)
    paired_test(key=f"{key}.paired")


def _folds(subject: Subject, key: str) -> None:
    """How many folds, what they cost, and what they showed."""
    experiment = subject.experiment
    is_number = experiment.loss.task == "regression"
    st.caption(
        _(
            "The {n:,} examples of training and validation split are divided into k folds{how}. Each fold is held out once, "
            "while the model learns from the others from the same initial weights (one seed). Preparation is learned anew from "
            "each fold's training part. The test split takes no part."
        ).format(n=n_pooled(experiment), how="" if is_number else _(" with the classes in proportion"))
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        k = st.slider(
            _("Folds"), FEWEST_FOLDS, MOST_FOLDS, USUAL_FOLDS, key=f"{key}.k", persist_state="session", width=320
        )  # fmt: skip
        st.caption(_cost(subject, k), width="stretch")
    if reason := reason_against(experiment, k):
        st.info(reason + " " + _("Choose fewer folds."), icon=":material/info:")
        return
    job = CrossValidationJob.of(experiment, k)
    if not is_wanted(job, key=key) and resources.reader().by_key(job.key()) is None:  # a known one is shown at once
        st.button(_("Cross-validate"), key=f"{key}.start", on_click=want, args=(job, key), icon=":material/view_week:")
        return

    def show(found: CrossValidation) -> None:
        shown(found, key=f"{key}.found")

    look(job, CrossValidation, show, key=f"{key}.job")


def _cost(subject: Subject, k: int) -> str:
    """How much is trained, and about how long that takes."""
    experiment = subject.experiment
    steps, lanes = expected_steps(experiment, k), len(experiment.lanes)
    words = counted("{n} run", "{n} runs", k * lanes)
    if steps is not None:
        words += " " + _("of {steps}").format(steps=counted("{n} step", "{n} steps", math.ceil(steps / k)))
    step_s = _step_seconds(subject)
    seconds = expected_seconds(experiment, k, step_s)
    if not seconds:
        return words
    source = _("by the speed of the present run") if step_s else _("estimated")
    time = duration(seconds) if seconds >= LEAST_S else _("a few seconds")  # to begin takes as long
    return words + ", " + _("about {time} ({source})").format(time=time, source=source)


def _step_seconds(subject: Subject) -> float | None:
    """Seconds of one step of one lane, as the present run has shown; None where it has not."""
    record = state.run()
    if record is None or record.id != subject.run:
        return None

    def question(history: History) -> float | None:
        n = history.step * max(1, len(history.series))
        return history.elapsed_s / n if n and history.elapsed_s else None

    return asked(record, question)


def _seeds(experiment: Experiment, key: str) -> None:
    """Bands over seeds, by the training that there is already."""
    st.caption(
        _(
            "Other seeds give other initial weights and batches on the same examples. Curves become bands, and two experiments "
            "with the same seeds can be compared pair by pair."
        )
    )
    in_hand = state.experiment()
    if in_hand.repeats >= SEEDS:
        st.text(
            _("The experiment in hand has {n} seeds per lane: press Train, and its curves are bands.").format(n=in_hand.repeats)
        )
        if st.button(_("Go to Train"), key=f"{key}.train", icon=":material/play_circle:"):
            open_screen("train")
        return
    st.button(
        _("Repeat with {n} seeds").format(n=SEEDS),
        key=f"{key}.repeat",
        on_click=use,
        args=(experiment,),
        kwargs={"repeats": SEEDS},
        icon=":material/casino:",
    )
