"""Whether all is well, in one sentence, a few numbers, and the last minutes as lines."""

import time
from collections.abc import Mapping, Sequence

import streamlit as st

from core.jobs.pool_health import PoolHealth
from core.process import resident_bytes
from dashboard.figures.health import alt_last_minutes, last_minutes
from dashboard.session.vitals import Sample
from dashboard.text import _, counted, duration, size_words
from dashboard.widgets.figure import figure, is_dark

SCARCE = 0.9
"""Of the memory: with more of it in use, the system may soon end processes."""
GB = 10**9


def state_of_things(pool: PoolHealth | None, samples: Sequence[Sample]) -> None:
    """What is wrong, or that nothing is; then the numbers of now."""
    now = samples[-1]
    if pool is None:
        st.error(_("The supervisor does not answer: no run can start. It is being started again."), icon=":material/error:")
    elif now.used_bytes is not None and now.total_bytes and now.used_bytes > SCARCE * now.total_bytes:
        st.warning(_("Memory is nearly used up: stop a run, or lower the limits."), icon=":material/warning:")
    else:
        words = _("All parts work. The supervisor has been up for {time}.").format(time=duration(pool.up_s))
        st.success(words, icon=":material/check_circle:")
    with st.container(horizontal=True, key="health.numbers"):
        working = sum(bool(one.run) for one in pool.workers) if pool else 0
        st.metric(_("Runs at work"), working if pool else "–", border=True)
        st.metric(_("Waiting"), pool.n_waiting if pool else "–", border=True)
        st.metric(_("Open pages"), now.pages, border=True)
        st.metric(_("Live streams"), now.streams, border=True)
        st.metric(_("Memory in use"), _share(now.used_bytes, now.total_bytes), border=True)


def streams_words(streams: Mapping[str, int]) -> str:
    """What the live streams follow, in one line."""
    return _("Live streams: {runs} of runs, {rooms} of rooms, {boards} of boards of rooms.").format(
        **{name: streams.get(name, 0) for name in ("runs", "rooms", "boards")}
    )


def _share(used: int | None, total: int | None) -> str:
    if used is None or not total:
        return _("unknown")
    return _("{used} of {total}").format(used=size_or_unknown(used), total=size_or_unknown(total))


def memory_words(pool: PoolHealth | None) -> str:
    """What the parts hold, in one line."""
    parts = [_("Server {size}").format(size=size_or_unknown(resident_bytes()))]
    if pool is not None:
        parts.append(_("supervisor {size}").format(size=size_or_unknown(pool.n_bytes)))
        words = counted("{n} worker", "{n} workers", pool.n_workers)
        known = [one.n_bytes for one in pool.workers if one.n_bytes is not None]
        largest = size_or_unknown(max(known, default=None))
        parts.append(_("{workers}, the largest {size}").format(workers=words, size=largest))
    return ", ".join(parts) + ". " + _("Each with what it shares with others.")


def size_or_unknown(n_bytes: int | None) -> str:
    """A size in words, or that nobody knows it."""
    if n_bytes is None:
        return _("unknown")
    return _("{n:,.1f} GB").format(n=n_bytes / GB) if n_bytes >= GB else size_words(n_bytes)


def recent_minutes(samples: Sequence[Sample]) -> None:
    """The last minutes: what was done, and what memory it took."""
    at = time.time()
    minutes = [(one.time - at) / 60 for one in samples]
    work = {
        _("at work"): [one.running for one in samples],
        _("waiting"): [one.queued for one in samples],
        _("open pages"): [one.pages for one in samples],
        _("streams"): [one.streams for one in samples],
    }
    memory = {
        _("whole machine"): [None if one.used_bytes is None else one.used_bytes / GB for one in samples],
        _("this server"): [None if one.server_bytes is None else one.server_bytes / GB for one in samples],
    }
    total = samples[-1].total_bytes
    charts = (("work", work, _("number"), None), ("memory", memory, _("memory (GB)"), total / GB if total else None))
    for column, (name, series, unit, most) in zip(st.columns(2), charts, strict=True):
        with column:
            drawing = last_minutes(minutes, series, unit=unit, most=most, dark=is_dark())
            figure(drawing, key=f"health.{name}", alt=alt_last_minutes(series, unit=unit))
