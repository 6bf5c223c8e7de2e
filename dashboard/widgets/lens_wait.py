"""Waiting for lenses: all that one page waits for is looked at together, and its page run again once something is there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import streamlit as st

from core.errors import LayerwiseError
from core.events import Progressed, Stop
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import pace, resources
from dashboard.text import _
from dashboard.widgets.failure import failure
from dashboard.widgets.run_controls import send

POLL_S, DRAW_S = 0.25, 0.5
SHOWN_S = 1.5
"""What works for so long gets a bar that moves; most answers are there sooner."""
STOPPED = "lens.stopped."
RECENT = 20
"""Events among which the newest report of progress is."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An unfinished run, and whether its bar moves by itself."""

    run: str
    is_moving: bool


_page: ContextVar[list[Wait] | None] = ContextVar("waits of the page", default=None)


@contextmanager
def waiting_together() -> Iterator[None]:
    """What the block waits for is looked at together, by one fragment after it: each would cost as much as all do."""
    waits: list[Wait] = []
    token = _page.set(waits)
    try:
        yield
    finally:
        _page.reset(token)
    if waits:
        _look_again(waits)


def wait_for(run: str, record: RunRecord | None, key: str, *, is_long: bool) -> None:
    """Progress of an unfinished run and a button that stops it. `record` is its row where it has one by now."""
    waits = _page.get()

    def draw() -> None:
        # only at its own place: what a fragment draws elsewhere can meet a page that has changed, which breaks the browser's
        try:
            record = resources.reader().run(run)
            share, words = _progress(run, record, is_long=is_long)
        except LayerwiseError as error:
            failure(error)
            return
        if record is not None and (is_given_up(record, key) or (waits is None and record.state not in UNFINISHED)):
            st.rerun()  # the whole page: what stands here instead is not this fragment's
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(share, text=words)
            st.button(_("Stop"), key=f"{key}.stop", on_click=_stop, args=(run, key), icon=":material/stop:")

    if waits is None:
        st.fragment(draw, run_every=pace.every(POLL_S))()
        return
    is_moving = is_long or _works_for_long(record)
    if is_moving:
        st.fragment(draw, run_every=pace.every(DRAW_S))()
    else:
        draw()
    waits.append(Wait(run, is_moving))


def _stop(run: str, key: str) -> None:
    """Wait for it no longer. Where others wait for the same answer, the work goes on for them."""
    if send(run, Stop()):
        st.session_state[STOPPED + key] = run


def is_given_up(record: RunRecord, key: str) -> bool:
    """Whether this visitor has stopped what goes on for others."""
    return record.state in UNFINISHED - {"stopping"} and bool(st.session_state.get(STOPPED + key) == record.id)


def want_again(key: str) -> None:
    """What was stopped is wanted after all."""
    st.session_state.pop(STOPPED + key, None)


def waits_of_page() -> list[Wait]:
    """What the present page waits for: the list grows while the page is drawn."""
    waits = _page.get()
    return [] if waits is None else waits


def is_any_unfinished(waits: list[Wait]) -> bool:
    """Whether one of them still works."""
    return any(record is not None and record.state in UNFINISHED for record in _records(waits))


def _records(waits: list[Wait]) -> list[RunRecord | None]:
    return [resources.reader().run(wait.run) for wait in waits]


def _works_for_long(record: RunRecord | None) -> bool:
    return record is not None and record.started is not None and time.time() - record.started > SHOWN_S


def _look_again(waits: list[Wait]) -> None:
    """Run the page again once something is there, or should show how far it is. Draws nothing.

    Not at once, while the page itself is still being drawn: what comes within the next moment is then shown together.
    """
    is_drawn = False

    def poll() -> None:
        nonlocal is_drawn
        pace.present()
        if not is_drawn:
            is_drawn = True
            return
        try:
            records = _records(waits)
        except LayerwiseError as error:
            failure(error)
            return
        for wait, record in zip(waits, records, strict=True):
            is_over = record is not None and record.state not in UNFINISHED
            if is_over or (not wait.is_moving and _works_for_long(record)):
                st.rerun()

    st.fragment(poll, run_every=pace.every(POLL_S))()


def _progress(run: str, record: RunRecord | None, *, is_long: bool) -> tuple[float, str]:
    """Share done and words for it."""
    if record is not None and record.state == "queued":
        place = resources.reader().queue_position(run)
        return 0.0, _("Waiting: {n} before this one").format(n=place) if place else _("Computing …")
    newest = record.last_seq - RECENT if record else 0
    events = [logged.event for logged in resources.reader().events(run, after=max(0, newest), name="Progressed")]
    last = next((event for event in reversed(events) if isinstance(event, Progressed) and event.total > 1), None)
    if last is None:
        return 0.0, _("Computing …")
    words = (_("{done:,} of {total:,} steps") if is_long else _("{done:,} of {total:,} evaluations")).format(
        done=last.done, total=last.total
    )
    if last.left_s is not None and last.done > 0.1 * last.total:  # before that, loading libraries distorts it
        words += _(", {s:.0f} s left").format(s=last.left_s)
    return min(1.0, last.done / last.total), words
