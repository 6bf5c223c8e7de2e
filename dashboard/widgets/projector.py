"""The view for a projector: large type, high contrast, few controls, and keys for what a presenter does."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import streamlit as st

from core.events import Pause, Resume
from core.store.protocol import RunRecord
from dashboard.components.presenter_keys import presenter_keys
from dashboard.session import lesson, selection, state, view
from dashboard.session.moments import moments
from dashboard.text import _
from dashboard.widgets.links import open_screen
from dashboard.widgets.run_controls import send

PRESSED = "projector.pressed"
"""The key that was just pressed, for what can only be done while the page runs."""
BEFORE = {"arrowleft": -1, "arrowright": 1, "end": None}
"""Keys of the time slider: one kept moment back, one on, and the newest."""
SCREENS = {"n": 1, "b": -1}
"""Keys of the navigation: the next screen, and the one before."""
TRAIN = "t"


def projector_button() -> None:
    """Goes to this view and back; in it, the list of keys beside it."""
    is_on = view.is_projector()
    if is_on:
        presenter_keys(_keys(), key="projector.keys", on_press=_press)
    st.button(
        _("Leave projector view") if is_on else _("Projector view"),
        key="header.projector",
        icon=":material/close_fullscreen:" if is_on else ":material/present_to_all:",
        type="tertiary",
        on_click=view.toggle_projector,
        shortcut="Alt+P",
        help=_("Large type, high contrast and few controls, for a room."),
    )


def projector_style(sheet: Path) -> None:
    """The style sheet of this view, while it is on."""
    if view.is_projector():
        st.html(sheet)


def together(*, key: str) -> AbstractContextManager[object]:
    """In this view, what is drawn within stands in one row: the curves below it must be seen."""
    return st.container(horizontal=True, key=key, vertical_alignment="bottom") if view.is_projector() else nullcontext()


def was_pressed(key: str) -> bool:
    """Whether this key was pressed, once."""
    if st.session_state.get(PRESSED) != key:
        return False
    del st.session_state[PRESSED]
    return True


def turn_pages(names: list[str], here: str) -> None:
    """Go to the screen that a key has asked for, out of those that are shown; at the ends it stays."""
    for key, by in SCREENS.items():
        if was_pressed(key) and here in names:
            at = names.index(here) + by
            if 0 <= at < len(names):
                open_screen(names[at])


def _keys() -> dict[str, str]:
    """What the keys do, without what this lesson hides."""
    keys = {
        TRAIN: ("start", _("Train the experiment")),
        " ": ("run.pause", _("Pause the run, or go on with it")),
        "arrowleft": ("", _("An earlier kept moment of the run (Inspect, Explain)")),
        "arrowright": ("", _("A later one")),
        "end": ("", _("The newest one")),
        "n": ("", _("Next screen")),
        "b": ("", _("Screen before")),
    }
    return {key: words for key, (group, words) in keys.items() if not lesson.is_hidden(group)}


def _press(key: str) -> None:
    record = state.run()
    if key in SCREENS or key == TRAIN:
        st.session_state[PRESSED] = key
    elif record is not None and key == " ":
        _pause(record)
    elif record is not None and key in BEFORE:
        _travel(record, BEFORE[key])


def _pause(record: RunRecord) -> None:
    if record.state in ("running", "paused"):
        send(record.id, Pause() if record.state == "running" else Resume())


def _travel(record: RunRecord, by: int | None) -> None:
    """To the kept moment beside the one that is looked at; at the ends it stays."""
    kept = moments(record)
    if not kept:
        return
    newest = next(one.step for one in kept if one.is_newest)
    if by is None:
        selection.choose_moment(record.id, None)
        return
    chosen = selection.moment(record.id)
    present = newest if chosen is None else chosen
    steps = [one.step for one in kept if (one.step < present if by < 0 else one.step > present)]
    if steps:
        step = steps[-1] if by < 0 else steps[0]
        selection.choose_moment(record.id, None if step == newest else step)
