"""The hidden state of a recurrent layer over the steps: all units as a map, one of them on the text itself."""

import numpy as np
import streamlit as st

from core.jobs.sequence_lenses import HiddenStatesJob
from core.models.sequence_layers import SequencePlace
from core.results.hidden_states import HiddenStates
from dashboard.components.token_strip import Token, token_strip
from dashboard.figures.hidden_states import norm_line, state_heatmap
from dashboard.figures.token_axis import short
from dashboard.figures.token_strip import signed_colours
from dashboard.session import selection
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

ORDERS = ("number", "change")
MOST_CHANGING = 5
MAX_UNITS = 128
"""Rows of the map; of more units those that change most."""


def memory(subject: Subject, places: tuple[SequencePlace, ...], *, key: str) -> None:
    """The chosen recurrent layer."""
    number = chosen_place(places, key=key)
    job = HiddenStatesJob(**subject.asked(), place=number)
    look(job, HiddenStates, lambda found: _states(found, key), key=f"{key}.job")


def chosen_place(places: tuple[SequencePlace, ...], *, key: str) -> int:
    """Which of several layers of a kind is looked at: the one that is chosen in all panels, where it is one of them."""
    if len(places) == 1:
        return 0
    widget = f"{key}.place"
    present = st.session_state.get(widget)
    wanted = selection.layer(1_000)
    if not isinstance(present, int) or present >= len(places):
        present = next((i for i, place in enumerate(places) if place.layer == wanted), 0)
    st.session_state[widget] = present
    names = [place.name for place in places]

    def choose() -> None:
        selection.choose_unit(places[st.session_state[widget]].layer)

    st.selectbox(_("Layer"), range(len(places)), key=widget, on_change=choose, format_func=names.__getitem__, width=260)
    return int(st.session_state[widget])


def _states(found: HiddenStates, key: str) -> None:
    dark = is_dark()
    with st.container(key=f"{key}.controls", horizontal=True, vertical_alignment="bottom"):
        part = _part(found, key)
        is_cell = found.has_cells and _is_cell(key)
        by_change = _by_change(key)
    values = (found.cells if is_cell else found.states)[part]
    changes = (found.cell_changes if is_cell else found.changes)[part]
    start = _start(found)
    steps = found.steps[start:]
    units = np.argsort(-changes, kind="stable")[:MAX_UNITS]
    units = units if by_change else np.sort(units)
    axis = _("token") if found.is_text else _("step")
    drawing = state_heatmap(values[start:], steps, units, axis, dark=dark)
    figure(drawing, key=f"{key}.figure", alt=_alt(found, changes, is_cell=is_cell))
    _unit(found, part, values, changes, key)
    figure(
        norm_line(found.norms[part][start:], steps, axis, dark=dark),
        key=f"{key}.norm",
        alt=_("Length of the hidden state after each step: {first:.2f} at first, {last:.2f} at the end.").format(
            first=found.norms[part][start], last=found.norms[part][-1]
        ),
    )
    st.caption(_words(found, changes, start))
    download_arrays(found, "hidden_states.npz", key=f"{key}.download", label=_("Download states (NPZ)"))


def _part(found: HiddenStates, key: str) -> int:
    """Which of the stacked layers, and in which direction."""
    if len(found.parts) == 1:
        return 0
    widget = f"{key}.part"
    last = len(found.parts) - 1
    present = st.session_state.get(widget)
    st.session_state[widget] = present if isinstance(present, int) and present <= last else last
    st.selectbox(_("Part"), range(len(found.parts)), key=widget, format_func=lambda i: _(found.parts[i]), width=180)
    return int(st.session_state[widget])


def _is_cell(key: str) -> bool:
    labels = {"state": _("hidden state"), "cell": _("cell state")}
    chosen = st.segmented_control(
        _("Show"),
        list(labels),
        default="state",
        key=f"{key}.what",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
        help=_("An LSTM keeps things in its cell state, and shows of it what its output gate lets through: the hidden state."),
    )
    return chosen == "cell"


def _by_change(key: str) -> bool:
    labels = {"number": _("by number"), "change": _("most changing first")}
    chosen = st.segmented_control(
        _("Units"),
        ORDERS,
        default="number",
        key=f"{key}.order",
        persist_state="session",
        format_func=labels.__getitem__,
        required=True,
    )
    return chosen == "change"


def _unit(found: HiddenStates, part: int, values: np.ndarray, changes: np.ndarray, key: str) -> None:
    """One unit: its value after each token, on the text."""
    order = np.argsort(-changes, kind="stable").tolist()
    widget = f"{key}.unit"
    is_output = part >= len(found.parts) - (2 if "backward" in found.parts[-1] else 1)
    offset = len(changes) if "backward" in found.parts[part] else 0
    wanted = selection.unit(offset + len(changes)) if is_output and selection.layer(1_000) == found.layer else None
    present = wanted - offset if wanted is not None and wanted >= offset else st.session_state.get(widget)
    st.session_state[widget] = present if isinstance(present, int) and present < len(changes) else order[0]

    def choose() -> None:
        if is_output:  # what the layer gives: the other panels know this unit too
            selection.choose_unit(found.layer, offset + st.session_state[widget])

    st.selectbox(
        _("One unit on the text") if found.is_text else _("One unit over the steps"),
        order,
        key=widget,
        on_change=choose,
        format_func=lambda unit: _("unit {n}: changes by {change:.2f} per step").format(n=unit, change=changes[unit]),
        width=300,
    )
    unit = int(st.session_state[widget])
    shown = [place for place, name in enumerate(found.steps) if name or not found.is_text]
    sizes = values[shown, unit]
    colours = signed_colours(sizes, float(np.abs(values[:, unit]).max()), is_dark())
    tokens = [
        Token(short(name), f"{name}: {size:+.3f}", f"{size:+.2f}", background, ink)
        for name, size, (background, ink) in zip((found.steps[place] for place in shown), sizes, colours, strict=True)
    ]
    token_strip(tokens, key=f"{key}.strip", label=_("Value of unit {n} after each step").format(n=unit))


def _start(found: HiddenStates) -> int:
    """The first step that is drawn: of the padding on the left only the last, which is where the text begins."""
    first = next((i for i, name in enumerate(found.steps) if name), 0) if found.is_text else 0
    return max(0, first - 1)


def _words(found: HiddenStates, changes: np.ndarray, start: int) -> str:
    order = np.argsort(-changes, kind="stable")[:MOST_CHANGING]
    words = _("Units that change most from step to step: {units}.").format(units=", ".join(str(i) for i in order))
    if start:
        words += " " + _("Not drawn: {n} steps of padding before these; the download has them.").format(n=start)
    if len(changes) > MAX_UNITS:
        words += " " + _("Drawn: the {n} of {all} units that change most.").format(n=MAX_UNITS, all=len(changes))
    words += " " + _("Weights after step {step:,}.").format(step=found.step)
    return words


def _alt(found: HiddenStates, changes: np.ndarray, *, is_cell: bool) -> str:
    what = _("cell state") if is_cell else _("hidden state")
    return _("{layer}: {what} of {n} units over {steps} steps; unit {unit} changes most.").format(
        layer=found.name, what=what, n=len(changes), steps=len(found.steps), unit=int(changes.argmax())
    )
