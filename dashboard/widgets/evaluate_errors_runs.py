"""The confusion matrices of two models side by side, and in which cells they differ: another run, or another lane."""

import numpy as np
import streamlit as st

from core.data.gallery import SplitName
from core.jobs.evaluation_lenses import PredictionsJob
from core.jobs.lenses import ExampleRef
from core.results.confusion import changed_cell, confusion
from core.results.predictions import Predictions
from dashboard.components.confusion import Look, confusion_matrix
from dashboard.figures.confusion import ramp, signed_ramp
from dashboard.text import _, counted
from dashboard.widgets.evaluate_errors_gallery import gallery
from dashboard.widgets.evaluate_errors_matrix import MOST_CLASSES, Cell, choose_cell, chosen_cell, how, in_words
from dashboard.widgets.figure import is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.other_models import Other, other_runs
from dashboard.widgets.subject import Subject, series_names


def view(subject: Subject, split: SplitName, *, key: str) -> None:
    """Choose the other model; then both matrices, and their difference."""
    others = _others(subject)
    n_classes = len(subject.experiment.data.profile().class_names)
    if not others or n_classes > MOST_CLASSES:
        words = _("A matrix of more than {n} classes is too large to compare.").format(n=MOST_CLASSES)
        nothing = _(
            "There is no other model of these data yet: train another run with the same data, preparation and seed, or choose "
            "some in the table of runs."
        )
        st.info(words if others else nothing, icon=":material/info:")
        return
    place = st.selectbox(
        _("Compare with"),
        range(len(others)),
        key=f"{key}.other",
        format_func=lambda place: others[place].label if place < len(others) else "",
        width=420,
    )
    other = others[min(place or 0, len(others) - 1)]
    found: list[Predictions] = []
    for name, one in (("present", subject), ("rival", other.subject)):
        job = PredictionsJob(**(one.asked() | {"example": ExampleRef()}), split=split)
        look(job, Predictions, found.append, key=f"{key}.{name}")
    if len(found) == 2:
        _shown(subject, (found[0], found[1]), other, key)


def _others(subject: Subject) -> list[Other]:
    """The other lanes and seeds of this run at this moment, and the chosen and recent runs with the same data."""
    found = []
    names = series_names(subject.experiment) if subject.run else []
    for series, name in enumerate(names):
        if series != subject.series:
            asked = Subject(subject.experiment, subject.weights, ExampleRef(), subject.run, subject.step, series)
            found.append(Other(_("{lane}, at this moment").format(lane=name), asked))
    return found + other_runs(subject)


def _shown(subject: Subject, found: tuple[Predictions, Predictions], other: Other, key: str) -> None:
    present, rival = found
    counts = confusion(present), confusion(rival)
    names, cell = present.class_names, chosen_cell(len(present.class_names), key)
    by, errors_only = how(key)
    titles = (_("Present: step {step:,}").format(step=subject.step), _("Other: {label}").format(label=other.label))
    for column, title, one, side in zip(st.columns(2, gap="medium"), titles, counts, ("one", "two"), strict=True):
        with column:
            st.text(f"{title}. {in_words(one, names)}")
            _matrix(names, one, Look(by, ramp(is_dark()), errors_only), cell, key, side)
    left, right = st.columns(2, gap="medium")
    with left:
        st.text(_("Present minus other, in examples:"))
        _matrix(names, counts[0] - counts[1], Look("difference", signed_ramp(is_dark())), cell, key, "difference")
    with right:
        if cell is None:
            st.info(_("Press a cell to see which examples only one of the two puts there."), icon=":material/touch_app:")
        else:
            _changed(subject, found, cell, key)


def _matrix(names: tuple[str, ...], counts: np.ndarray, drawn: Look, cell: Cell | None, key: str, side: str) -> None:
    confusion_matrix(
        names,
        [(0, counts)],
        drawn,
        chosen=cell,
        key=f"{key}.{side}",
        on_pick=lambda true, predicted: choose_cell(true, predicted, key),
    )


def _changed(subject: Subject, found: tuple[Predictions, Predictions], cell: Cell, key: str) -> None:
    """The examples that only one of the two has in the cell, with what the present model says of them."""
    mine, theirs = changed_cell(*found, cell)
    names, (true, predicted) = found[0].class_names, cell
    st.text(_("{true}, predicted {predicted}:").format(true=names[true], predicted=names[predicted]))
    for name, places, words in (
        ("mine", mine, counted("{n} example only of the present model.", "{n} examples only of the present model.", len(mine))),
        ("theirs", theirs, counted("{n} example only of the other.", "{n} examples only of the other.", len(theirs))),
    ):
        st.text(words)
        gallery(subject, found[0], places, key=f"{key}.{name}", label=words)
