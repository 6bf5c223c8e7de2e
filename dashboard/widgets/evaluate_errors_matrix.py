"""The confusion matrix of one moment: press a cell, and see the examples behind it."""

from typing import Any

import numpy as np
import streamlit as st

from core.results.confusion import Normalised, confusion, most_confused, never_predicted
from core.results.error_gallery import behind_cell
from core.results.predictions import Predictions
from dashboard.components.confusion import Look, confusion_matrix
from dashboard.figures.confusion import alt_confusion, confusion_figure, ramp
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.evaluate_errors_gallery import gallery
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.subject import Subject
from dashboard.widgets.table_file import download_table

MOST_CLASSES = 60
"""A larger matrix is not readable; its largest cells are listed."""
PAIRS = 8
BESIDE = 12
"""Classes up to which there is room for the examples beside the matrix."""
Cell = tuple[int, int]


def view(subject: Subject, found: Predictions, *, key: str) -> None:
    """The matrix, and beside or below it the examples of the chosen cell."""
    counts = confusion(found)
    st.text(in_words(counts, found.class_names))
    by, errors_only = how(key)
    pairs(counts, found.class_names, key)
    is_narrow = len(found.class_names) <= BESIDE
    left, right = st.columns([5, 4], gap="medium") if is_narrow else (st.container(), st.container())
    cell = chosen_cell(len(found.class_names), key)
    with left:
        _matrix(counts, found, Look(by, ramp(is_dark()), errors_only), key)
        _downloads(counts, found, by, key)
    with right:
        if cell is None:
            st.info(_("Press a cell to see its examples."), icon=":material/touch_app:")
        else:
            behind(subject, found, cell, key=f"{key}.cell")


def how(key: str) -> tuple[Normalised, bool]:
    """What stands in the cells, and whether the diagonal has colours too."""
    labels: dict[Normalised, str] = {
        "counts": _("Counts"),
        "true": _("Share of the true class"),
        "predicted": _("Share of the predicted class"),
    }
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}.how"):
        chosen: Normalised | None = st.segmented_control(
            _("In the cells"),
            list(labels),
            default="counts",
            key=_shared(key, "by"),
            persist_state="session",
            format_func=labels.__getitem__,
            label_visibility="collapsed",
            required=True,
        )
        errors_only = st.toggle(
            _("Colour errors only"),
            key=_shared(key, "errors"),
            persist_state="session",
            help=_("Hits are so many that errors look alike beside them: without colours on the diagonal they differ."),
        )
    return chosen or "counts", errors_only


def _shared(key: str, name: str) -> str:
    """The key of what all views of the matrix have in common: this one, the one over the run, the one against another model."""
    return f"{key.rpartition('.')[0]}.matrices.{name}"


def chosen_cell(n_classes: int, key: str) -> Cell | None:
    """The cell (true, predicted) that this visitor looks at."""
    cell = st.session_state.get(_shared(key, "chosen"))
    return (int(cell[0]), int(cell[1])) if cell and max(cell) < n_classes else None


def choose_cell(true: int, predicted: int, key: str) -> None:
    """Look at this cell."""
    st.session_state[_shared(key, "chosen")] = (true, predicted)


def pairs(counts: np.ndarray, names: tuple[str, ...], key: str) -> None:
    """The largest errors, each a button that chooses its cell."""
    largest = most_confused(counts, PAIRS)
    if not largest:
        return
    widget = f"{key}.pairs"
    present = chosen_cell(len(names), key)
    labels = {(true, predicted): plain(f"{names[true]} → {names[predicted]}") + f" ({n:,})" for true, predicted, n in largest}
    st.session_state[widget] = present if present in labels else None

    def choose() -> None:
        if cell := st.session_state[widget]:
            choose_cell(cell[0], cell[1], key)

    st.pills(
        _("Most often confused: true class → predicted class"),
        list(labels),
        key=widget,
        on_change=choose,
        format_func=lambda cell: labels.get(cell, ""),
    )


def _matrix(counts: np.ndarray, found: Predictions, drawn: Look, key: str) -> None:
    n_classes = len(found.class_names)
    if n_classes > MOST_CLASSES:
        st.info(
            _("A matrix of {n} classes is too large to read: its largest cells are listed above, the file has all.").format(
                n=n_classes
            ),
            icon=":material/info:",
        )
        return
    confusion_matrix(
        found.class_names,
        [(found.step, counts)],
        drawn,
        chosen=chosen_cell(n_classes, key),
        key=f"{key}.matrix",
        on_pick=lambda true, predicted: choose_cell(true, predicted, key),
    )


def _downloads(counts: np.ndarray, found: Predictions, by: Normalised, key: str) -> None:
    with st.container(horizontal=True):
        download_table(table(counts, found.class_names), "confusion.csv", key=f"{key}.csv")
        download_arrays(found, "predictions.npz", key=f"{key}.npz", label=_("Download all predictions (NPZ)"))
    if len(found.class_names) <= MOST_CLASSES:
        with st.expander(_("As a picture"), key=f"{key}.picture"):
            drawing = confusion_figure(counts, found.class_names, by, dark=is_dark())
            figure(drawing, key=f"{key}.figure", alt=alt_confusion(counts, found.class_names))


def behind(subject: Subject, found: Predictions, cell: Cell, *, key: str) -> None:
    """The examples of one cell, the surest first."""
    true, predicted = cell
    places = behind_cell(found, true, predicted)
    words = cell_words(found.class_names, cell, len(places))
    st.text(words)
    gallery(subject, found, places, key=key, label=words)


def cell_words(names: tuple[str, ...], cell: Cell, n: int) -> str:
    """What a cell is, in words."""
    true, predicted = cell
    if n == 0:
        return _("No example of {true} was taken for {predicted}.").format(true=names[true], predicted=names[predicted])
    some = counted("{n} example", "{n} examples", n)
    if true == predicted:
        return _("{some} of {true}, rightly predicted; the surest first.").format(some=some, true=names[true])
    words = _("{some} of {true}, taken for {predicted}; the surest first.")
    return words.format(some=some, true=names[true], predicted=names[predicted])


def in_words(counts: np.ndarray, names: tuple[str, ...]) -> str:
    """How many are right, and which classes are never predicted."""
    n, right = int(counts.sum()), int(np.trace(counts))
    words = _("{right:,} of {n:,} examples are right ({share:.1%}), {wrong:,} are not.").format(
        right=right, n=n, share=right / max(1, n), wrong=n - right
    )
    never = [names[k] for k in never_predicted(counts)]
    if never and n:
        words += " " + _("Never predicted: {names}.").format(names=", ".join(never[:10]) + (" …" if len(never) > 10 else ""))
    return words


def table(counts: np.ndarray, names: tuple[str, ...]) -> dict[str, list[Any]]:
    """The matrix as columns: a row per cell."""
    k = len(names)
    return {
        "true": [names[i] for i in range(k) for _j in range(k)],
        "predicted": [names[j] for _i in range(k) for j in range(k)],
        "examples": counts.ravel().tolist(),
    }
