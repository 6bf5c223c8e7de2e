"""The curves of the chosen runs over each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.results.run_curves import RunCurves
from core.run_curve import Axis, RunCurve, smoothed
from core.run_row import RunRow
from core.run_table import differing, facts_of, text_of, value_of
from core.types import UNFINISHED
from dashboard.figures.runs_overlay import MOST_NAMED, Axes, alt_overlay, overlay_figure
from dashboard.session import resources, run_rows
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.runs_table_words import called, label, loss_unit

MEASURES = ("batch_loss", "validation_loss", "validation_accuracy", "train_loss", "train_accuracy")
AXES: tuple[Axis, ...] = ("step", "epoch", "seconds", "examples")
WINDOWS = (1, 5, 10, 25, 50, 100, 250)
NARROW = 190
DWARFS = 1000.0
"""Where the largest value is so many times the median, half of all cannot be told from 0 on a linear axis."""
FIRST_GROUPS = ("tags", "optimizer", "model", "data", "kind")
"""By what many runs are coloured at first, where it tells them apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is drawn, and how."""

    measure: str
    axis: Axis
    window: int
    group: str
    log_x: bool
    log_y: bool


def curves(rows: tuple[RunRow, ...], *, key: str) -> None:
    """The chosen runs' curves; of all that are shown where none is chosen."""
    picked = run_rows.chosen_rows(rows)
    shown = picked or run_rows.shown(rows)
    words = _("Curves of the {n}") if picked else _("Curves of the {n} that are shown")
    st.subheader(
        words.format(
            n=counted("chosen run", "{n} chosen runs", len(picked)) if picked else counted("run", "{n} runs", len(shown))
        )
    )
    asked = _controls(shown, key)
    drawn = overlaid(shown, resources.reader().curves([row.id for row in shown]), asked)
    if not drawn.runs:
        st.info(_("None of these runs has told this yet. Curves appear as soon as a run trains."), icon=":material/show_chart:")
        return
    axes = Axes(_x_title(asked.axis), _y_title(asked, shown), asked.log_x, asked.log_y)
    figure(overlay_figure(drawn, axes, dark=is_dark()), key=f"{key}.overlay", alt=alt_overlay(drawn, axes))
    if not asked.log_y and is_dwarfed(drawn.y):
        st.caption(_("The largest values dwarf all others. Turn on Log y to see every curve."))
    _footer(drawn, shown, key)


def overlaid(rows: Sequence[RunRow], found: dict[str, RunCurve], asked: Asked) -> RunCurves:
    """The curves that there are, each on the asked axes; runs that have not told theirs are left out."""
    by_epoch = asked.measure != "batch_loss"
    lines = []
    for row in rows:
        curve = found.get(row.id)
        if curve is None:
            continue
        y = curve.y(asked.measure)
        if np.isfinite(y).any():
            y = y if by_epoch else smoothed(y, asked.window)
            group = text_of(value_of(row, asked.group)) if asked.group else ""
            lines.append((row.id, called(row), group, curve.x(asked.axis, by_epoch=by_epoch), y))
    runs, names, groups, x, y_all = zip(*lines, strict=True) if lines else ((),) * 5
    return RunCurves(runs, names, groups, asked.axis, asked.measure, x, y_all)


def is_dwarfed(lines: Sequence[np.ndarray]) -> bool:
    """Whether some values are so large that most others lie on the axis."""
    every = np.concatenate([line[np.isfinite(line)] for line in lines])
    return bool(len(every)) and bool(every.max() > DWARFS * max(float(np.median(every)), 0.0))


def _controls(rows: Sequence[RunRow], key: str) -> Asked:
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.controls"):
        measure = st.selectbox(
            _("Curve"), MEASURES, key=f"{key}.y", format_func=_measure, persist_state="session", width=NARROW
        )
        axis = st.segmented_control(
            _("Along"), AXES, default="step", required=True, key=f"{key}.x", format_func=_axis_words, persist_state="session"
        )
        window = 1
        if measure == "batch_loss":
            window = st.select_slider(
                _("Mean over points"),
                WINDOWS,
                WINDOWS[0],
                key=f"{key}.smooth",
                persist_state="session",
                width=NARROW,
                help=_("The loss of single batches is noisy: each point becomes the mean of so many around it."),
            )
        group = ""
        if len(rows) > MOST_NAMED:
            fields = differing(rows, ("state", "kind", "tags", *facts_of(rows)))
            first = next((field for field in FIRST_GROUPS if field in fields), "")
            group = st.selectbox(
                _("Colour by"),
                ["", *fields],
                index=["", *fields].index(first),
                key=f"{key}.group",
                format_func=lambda field: label(field) if field else _("nothing"),
                persist_state="session",
                width=NARROW,
            )
        log_x = st.toggle(_("Log x"), key=f"{key}.log_x", persist_state="session")
        log_y = st.toggle(_("Log y"), key=f"{key}.log_y", persist_state="session")
    return Asked(measure or "batch_loss", axis or "step", window, group or "", log_x, log_y)


def _footer(drawn: RunCurves, shown: Sequence[RunRow], key: str) -> None:
    """What is not in the chart, and the numbers to take along."""
    n_left_out = len(shown) - len(drawn.runs)
    words = [_("Of a race the best lane, the mean over its seeds.")]
    if n_left_out:
        words.append(
            counted("{n} run has not told this and is left out.", "{n} runs have not told this and are left out.", n_left_out)
        )
    if len(drawn.runs) > MOST_NAMED:
        words.append(_("The dot at the end of each line says its run."))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(" ".join(words), width="stretch")
        if any(row.state in UNFINISHED for row in shown):  # pressing it runs the page, which draws them anew
            st.button(_("Go on to now"), key=f"{key}.renew", icon=":material/refresh:")
        download_arrays(drawn, "runs.npz", key=f"{key}.download")


def _measure(name: str) -> str:
    """`batch_loss` is of single batches, `train_loss` is measured at the ends of epochs."""
    words = {
        "batch_loss": _("Training loss (batches)"),
        "train_loss": _("Training loss (epochs)"),
    }
    return words.get(name) or label(name)


def _axis_words(axis: str) -> str:
    return {"step": _("steps"), "epoch": _("epochs"), "seconds": _("seconds"), "examples": _("examples")}[axis]


def _x_title(axis: str) -> str:
    return {
        "step": _("step"),
        "epoch": _("epoch"),
        "seconds": _("seconds of training"),
        "examples": _("training examples seen"),
    }[axis]


def _y_title(asked: Asked, rows: Sequence[RunRow]) -> str:
    """With its unit where all runs share one; accuracies have none."""
    name = _measure(asked.measure)
    if asked.measure.endswith("loss"):
        name = _("{name}, {unit}").format(name=name, unit=loss_unit(rows))
    is_smooth = asked.measure == "batch_loss" and asked.window > 1
    return _("{name}, mean over {n} points").format(name=name, n=asked.window) if is_smooth else name
