"""What can be changed of an example: the pixels of a picture, the numbers of a row, the words of a text."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from core.data.own.keep import keep_upload
from core.errors import LayerwiseError
from core.jobs.lenses import ExampleRef
from core.results.prediction import Prediction
from dashboard.components.retouch import Canvas, retouch
from dashboard.session import resources
from dashboard.session.sender import sender
from dashboard.text import _
from dashboard.widgets.failure import plain, toast

Change = Callable[[ExampleRef | None], None]
FEW = 6
"""Columns that are all shown; of more, one chooses those to change."""
FINE = 200
"""Steps of a slider."""


def picture_editor(base: Prediction, present: Prediction, change: Change, *, key: str) -> None:
    """Erase patches or paint: the changed picture is kept as one of the visitor's own."""
    pixels, segments, colour = base.pixels, base.segments, base.mean_colour
    if pixels is None or segments is None or colour is None:
        return

    def changed(picture: bytes | None) -> None:
        if picture is None:
            change(None)
            return
        try:
            kept = keep_upload(picture, "changed.png", resources.settings(), sender())
        except LayerwiseError as error:
            toast(error)
            return
        change(ExampleRef(file=kept.digest, retouched=True))

    now = present.pixels if present.pixels is not None and present.pixels.shape == pixels.shape else pixels
    retouch(Canvas(pixels, now, segments, colour.tolist()), key=f"{key}.retouch", on_change=changed)


def row_editor(base: Prediction, ref: ExampleRef, change: Change, *, key: str) -> None:
    """A slider for each number, a choice for each category."""
    raw = base.raw
    if raw is None:
        return
    columns = _chosen_columns(base, key)

    def changed() -> None:
        values = tuple((column, float(st.session_state[f"{key}.column.{column}"])) for column in columns)
        new = tuple((column, value) for column, value in values if value != _shown(base, column))
        change(ref.but(values=new) if new else None)

    def take_back() -> None:
        for column in columns:
            st.session_state[f"{key}.column.{column}"] = _shown(base, column)
        change(None)

    for column in columns:
        _column(base, column, changed, key=f"{key}.column.{column}")
    st.button(_("Take all changes back"), key=f"{key}.reset", on_click=take_back, icon=":material/undo:")


def _chosen_columns(base: Prediction, key: str) -> list[int]:
    names = base.raw_names
    if len(names) <= FEW:
        return list(range(len(names)))
    chosen: list[int] = st.multiselect(
        _("Numbers to change"),
        range(len(names)),
        default=range(3),
        key=f"{key}.columns",
        format_func=names.__getitem__,  # the names of a multiselect are no Markdown
    )
    return chosen


def _column(base: Prediction, column: int, changed: Callable[[], None], *, key: str) -> None:
    """The control of one column. It begins at the value of the example."""
    name, categories = plain(base.raw_names[column]), base.raw_categories[column] if base.raw_categories else ()
    st.session_state.setdefault(key, _shown(base, column))
    if categories:
        numbers = [float(number) for number in range(len(categories))]
        st.selectbox(name, numbers, key=key, on_change=changed, format_func=lambda number: plain(categories[int(number)]))
        return
    low, high, step = slider_range(base, column)
    st.session_state[key] = min(high, max(low, st.session_state[key]))
    st.slider(name, low, high, key=key, step=step, on_change=changed, format="%.4g")


def slider_range(base: Prediction, column: int) -> tuple[float, float, float]:
    """Least and greatest value, and step, of a column's slider: the training data's, widened to hold the example's own."""
    bounds: Any = (base.raw_low, base.raw_high)
    own = _shown(base, column)
    low, high = (float(bound[column]) if bound is not None and math.isfinite(bound[column]) else own for bound in bounds)
    low, high = min(low, own), max(high, own)
    if low == high:
        low, high = low - 1.0, high + 1.0
    return low, high, (high - low) / FINE


def _shown(base: Prediction, column: int) -> float:
    """The example's own value; a gap counts as the middle of the training data."""
    value = float(base.raw[column]) if base.raw is not None else math.nan
    if math.isfinite(value) or base.raw_low is None or base.raw_high is None:
        return value
    return float(np.mean([base.raw_low[column], base.raw_high[column]]))


def text_editor(base: Prediction, ref: ExampleRef, change: Change, *, key: str) -> None:
    """Every word is a button: pressed, it is hidden from the model."""
    places = [place for place, token in enumerate(base.tokens) if token]
    widget = f"{key}.words"

    def changed() -> None:
        hidden = tuple(sorted(st.session_state[widget]))
        change(ref.but(hidden=hidden) if hidden else None)

    st.pills(
        _("Words to hide"),
        places,
        selection_mode="multi",
        key=widget,
        on_change=changed,
        format_func=lambda place: plain(base.tokens[place]),
        help=_("A hidden word is left out; the others move together."),
    )
