"""Waiting for lenses: all that one page waits for is looked at together, and its page run again once something is there."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import LayerwiseError
from core.events import Progressed, Stop
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import pace, resources
from dashboard.text import _
from dashboard.widgets.failure import failure
from dashboard.widgets.run_controls import send

POLL_S = 0.25
STOPPED = "lens.stopped."
RECENT = 20
"""Events among which the newest report of progress is."""


@dataclass(frozen=True, slots=True)
class Wait:
    """An unfinished run, and the place of its progress bar."""

    run: str
    place: Any
    is_long: bool


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


def wait_for(run: str, key: str, *, is_long: bool) -> None:
    """Progress of an unfinished run and a button that stops it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        wait = Wait(run, st.container(width="stretch").empty(), is_long)
        st.button(_("Stop"), key=f"{key}.stop", on_click=_stop, args=(run, key), icon=":material/stop:")
    waits = _page.get()
    if waits is None:
        _look_again([wait])
    else:
        waits.append(wait)


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


def _look_again(waits: list[Wait]) -> None:
    def poll() -> None:
        pace.present()
        try:
            records = _records(waits)
            if any(record is not None and record.state not in UNFINISHED for record in records):
                st.rerun()
            for wait, record in zip(waits, records, strict=True):
                share, words = _progress(wait, record)
                wait.place.progress(share, text=words)
        except LayerwiseError as error:
            failure(error)

    st.fragment(poll, run_every=pace.every(POLL_S))()


def _progress(wait: Wait, record: RunRecord | None) -> tuple[float, str]:
    """Share done and words for it."""
    if record is not None and record.state == "queued":
        place = resources.reader().queue_position(wait.run)
        return 0.0, _("Waiting: {n} before this one").format(n=place) if place else _("Computing …")
    newest = record.last_seq - RECENT if record else 0
    events = [logged.event for logged in resources.reader().events(wait.run, after=max(0, newest), name="Progressed")]
    last = next((event for event in reversed(events) if isinstance(event, Progressed) and event.total > 1), None)
    if last is None:
        return 0.0, _("Computing …")
    words = (_("{done:,} of {total:,} steps") if wait.is_long else _("{done:,} of {total:,} evaluations")).format(
        done=last.done, total=last.total
    )
    if last.left_s is not None and last.done > 0.1 * last.total:  # before that, loading libraries distorts it
        words += _(", {s:.0f} s left").format(s=last.left_s)
    return min(1.0, last.done / last.total), words
