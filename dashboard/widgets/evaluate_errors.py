"""The confusion matrix, the examples behind each cell, and the parts of the data on which the model errs."""

import streamlit as st

from core.data.gallery import SplitName
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.lenses import ExampleRef
from core.results.error_gallery import Order, furthest_off, telling
from core.results.predictions import Predictions
from dashboard.text import _, counted
from dashboard.widgets import evaluate_errors_matrix, evaluate_errors_runs, evaluate_errors_slices, evaluate_errors_time
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.evaluate_errors_gallery import gallery
from dashboard.widgets.evaluate_state import tell_of_failure
from dashboard.widgets.lens import look
from dashboard.widgets.split_choice import split_choice
from dashboard.widgets.subject import Subject

SPLITS: tuple[SplitName, ...] = ("validation", "test", "train")
ORDERS: tuple[Order, ...] = ("confident_errors", "unsure_hits", "unsure_errors")


def panel(subject: Subject, *, key: str) -> None:
    """Choose a split and a view; then the examples on which the model errs."""
    tell_of_failure(subject)
    is_regression = subject.experiment.data.profile().task == "regression"
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.choice"):
        split = split_choice(
            _("Examples from"),
            SPLITS,
            key=f"{key}.split",
            about=_("Errors of the test split are for a last look: who mends the model by them has no test split left."),
        )
        view = _view(is_regression, key)
    if is_regression:
        st.caption(
            _(
                "Numbers are more or less off and not right or wrong, so there is no confusion matrix: look at the examples "
                "that are furthest off, and at the slices of the data."
            )
        )
    if view == "slices":
        evaluate_errors_slices.view(subject, split, key=f"{key}.slices")
    elif view == "time":
        evaluate_errors_time.view(subject, split, key=f"{key}.time")
    elif view == "runs":
        evaluate_errors_runs.view(subject, split, key=f"{key}.runs")
    else:
        show = evaluate_errors_matrix.view if view == "matrix" else _telling
        job = PredictionsJob(**(subject.asked() | {"example": ExampleRef()}), split=split)
        look(job, Predictions, lambda found: show(subject, found, key=f"{key}.{view}"), key=f"{key}.predictions")


def _view(is_regression: bool, key: str) -> str:
    labels = {
        "matrix": _("Confusion matrix"),
        "time": _("Over the run"),
        "runs": _("Against another model"),
        "examples": _("Telling examples"),
        "slices": _("Slices"),
    }
    known = ["examples", "slices"] if is_regression else list(labels)
    chosen = st.segmented_control(
        _("View"),
        known,
        default=known[0],
        key=f"{key}.view.{'numbers' if is_regression else 'classes'}",
        persist_state="session",
        format_func=labels.__getitem__,
        label_visibility="collapsed",
        required=True,
    )
    return chosen or known[0]


def _telling(subject: Subject, found: Predictions, *, key: str) -> None:
    """The errors of which the model is surest, or the hits of which it is least sure; of numbers those furthest off."""
    if found.values is not None:
        places, words = furthest_off(found), _("The examples that are furthest off come first.")
    else:
        order = _order(key)
        places = telling(found, order)
        words = {
            "confident_errors": counted("{n} error, the surest first.", "{n} errors, the surest first.", len(places)),
            "unsure_hits": counted("{n} hit, the least sure first.", "{n} hits, the least sure first.", len(places)),
            "unsure_errors": counted("{n} error, the least sure first.", "{n} errors, the least sure first.", len(places)),
        }[order]
    st.text(words)
    download_arrays(found, "predictions.npz", key=f"{key}.download", label=_("Download all predictions (NPZ)"))
    gallery(subject, found, places, key=f"{key}.gallery", label=words)


def _order(key: str) -> Order:
    labels = {
        "confident_errors": _("Most confident errors"),
        "unsure_hits": _("Least confident hits"),
        "unsure_errors": _("Least confident errors"),
    }
    chosen: Order | None = st.segmented_control(
        _("Which examples"),
        ORDERS,
        default="confident_errors",
        key=f"{key}.order",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
    )
    return chosen or "confident_errors"
