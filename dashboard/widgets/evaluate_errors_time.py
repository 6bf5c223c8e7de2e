"""The confusion matrix over the kept moments of the run, and what becomes of one cell."""

from typing import Any

import streamlit as st

from core.data.gallery import SplitName
from core.jobs.error_lenses import ConfusionOverTimeJob
from core.jobs.lenses import ExampleRef
from core.results.confusion import ConfusionOverTime
from dashboard.components.confusion import Look, confusion_matrix
from dashboard.figures.confusion import alt_cell, cell_curve, ramp
from dashboard.session import state
from dashboard.session.moments import moments
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.evaluate_errors_matrix import MOST_CLASSES, Cell, choose_cell, chosen_cell, how, pairs
from dashboard.widgets.evaluate_errors_matrix import table as matrix_table
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject
from dashboard.widgets.table_file import download_table


def view(subject: Subject, split: SplitName, *, key: str) -> None:
    """Asks for the matrices of all moments once there are some."""
    record = state.run()
    kept = moments(record) if record and record.id == subject.run else ()
    if len(kept) < 2:
        st.info(_("There are no two kept moments yet: train, and the matrix can be followed."), icon=":material/info:")
        return
    if len(subject.experiment.data.profile().class_names) > MOST_CLASSES:
        st.info(_("A matrix of more than {n} classes is too large to follow.").format(n=MOST_CLASSES), icon=":material/info:")
        return
    asked = subject.asked() | {"example": ExampleRef(), "weights": None}
    job = ConfusionOverTimeJob(**asked, split=split, checkpoints=tuple(one.ref for one in kept))
    look(job, ConfusionOverTime, lambda found: _shown(found, key), key=f"{key}.look")


def _shown(found: ConfusionOverTime, key: str) -> None:
    st.text(in_words(found))
    by, errors_only = how(key)
    pairs(found.counts[-1], found.class_names, key)
    cell = chosen_cell(len(found.class_names), key)
    left, right = st.columns([5, 4], gap="medium")
    with left:
        confusion_matrix(
            found.class_names,
            list(zip(found.steps.tolist(), found.counts, strict=True)),
            Look(by, ramp(is_dark()), errors_only),
            chosen=cell,
            key=f"{key}.matrix",
            on_pick=lambda true, predicted: choose_cell(true, predicted, key),
        )
        _downloads(found, key)
    with right:
        if cell is None:
            st.info(_("Press a cell to see its curve over the run."), icon=":material/touch_app:")
        else:
            _curve(found, cell, key)


def _curve(found: ConfusionOverTime, cell: Cell, key: str) -> None:
    figure(cell_curve(found, cell, dark=is_dark()), key=f"{key}.curve", alt=alt_cell(found, cell))
    st.text(alt_cell(found, cell))


def _downloads(found: ConfusionOverTime, key: str) -> None:
    with st.container(horizontal=True):
        download_table(table(found), "confusion-over-time.csv", key=f"{key}.csv")
        download_arrays(found, "confusion-over-time.npz", key=f"{key}.npz")


def in_words(found: ConfusionOverTime) -> str:
    """How many moments and examples are counted."""
    words = _("{n} moments, from step {first:,} to step {last:,}.").format(
        n=len(found.steps), first=int(found.steps[0]), last=int(found.steps[-1])
    )
    if found.n_diverged:
        words += " " + counted(
            "{n} moment is left out: the model's answers were no numbers then, since its training diverged.",
            "{n} moments are left out: the model's answers were no numbers then, since its training diverged.",
            found.n_diverged,
        )
    if found.n_kept > len(found.steps) + found.n_diverged:
        words += " " + _("The run has kept {n:,}; these are spread evenly over them.").format(n=found.n_kept)
    if found.n_examples < found.n_in_split:
        words += " " + _("Counted on the same {n:,} of {all:,} examples each time.").format(
            n=found.n_examples, all=found.n_in_split
        )
    return words


def table(found: ConfusionOverTime) -> dict[str, list[Any]]:
    """All matrices as columns: a row per moment and cell."""
    cells = found.counts[0].size
    one = matrix_table(found.counts[0], found.class_names)
    n = len(found.steps)
    return {
        "step": [step for step in found.steps.tolist() for _cell in range(cells)],
        "true": one["true"] * n,
        "predicted": one["predicted"] * n,
        "examples": found.counts.ravel().tolist(),
    }
