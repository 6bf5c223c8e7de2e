"""The processes at work and who waits, with a way to stop a run."""

import streamlit as st

from core.errors import LayerwiseError
from core.events import Stop
from core.jobs.pool_health import PoolHealth, Waiting, Worker
from core.logs import SHORT
from dashboard.session import resources
from dashboard.session.visitor import visitor
from dashboard.text import _, counted, duration
from dashboard.widgets.compare import SHORT_RUN
from dashboard.widgets.failure import toast
from dashboard.widgets.health_now import size_or_unknown
from dashboard.widgets.runs_table_words import kind_label, state_label


def workers(pool: PoolHealth) -> None:
    """Every process of the pool."""
    st.dataframe(
        {
            _("Process"): [str(one.pid) for one in pool.workers],
            _("Lane"): [_("training") if one.lane == "training" else _("looks") for one in pool.workers],
            _("Run"): [one.run[:SHORT_RUN] for one in pool.workers],
            _("Kind"): [kind_label(one.kind) if one.kind else "" for one in pool.workers],
            _("Of"): [_owner(one.owner) if one.run else "" for one in pool.workers],
            _("State"): [state_label(one.state) if one.state else _("parked, warm") for one in pool.workers],
            _("For"): [duration(one.age_s) if one.run else "" for one in pool.workers],
            _("Memory"): [size_or_unknown(one.n_bytes) for one in pool.workers],
        },
        hide_index=True,
        key="health.workers",
    )
    _more(pool.n_workers - len(pool.workers))


def queue(pool: PoolHealth) -> None:
    """Who waits, first come first; the order in which they are served is fair, so it may be another one."""
    if not pool.waiting:
        st.caption(_("Nobody waits."))
        return
    st.dataframe(
        {
            _("Run"): [one.run[:SHORT_RUN] for one in pool.waiting],
            _("Kind"): [kind_label(one.kind) for one in pool.waiting],
            _("Of"): [_owner(one.owner) for one in pool.waiting],
            _("Waits for"): [duration(one.waits_s) for one in pool.waiting],
        },
        hide_index=True,
        key="health.queue",
    )
    _more(pool.n_waiting - len(pool.waiting))


def stop_a_run(pool: PoolHealth) -> None:
    """Choose one of the runs that have not ended, and stop it."""
    known: dict[str, Worker | Waiting] = {one.run: one for one in (*pool.workers, *pool.waiting) if one.run}
    if not known:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key="health.stopping"):
        run = st.selectbox(
            _("Run to stop"),
            list(known),
            index=None,
            format_func=lambda run: _called(run, known.get(run)),
            placeholder=_("Choose a run"),
            key="health.stop_which",
            width=420,
        )
        words = _("Stop run {run}").format(run=run[:SHORT_RUN]) if run else _("Stop")
        st.button(words, icon=":material/stop:", key="health.stop", disabled=not run, on_click=_stop, args=(run,))


def _called(run: str, one: Worker | Waiting | None) -> str:
    """A run as it is chosen from."""
    if one is None:
        return run[:SHORT_RUN]
    return f"{run[:SHORT_RUN]} · {kind_label(one.kind)} · {_owner(one.owner)}"


def _stop(run: str | None) -> None:
    present = visitor()
    if run is None or not present.is_host:  # the page was left open while the host's part was given up
        return
    try:
        resources.pool().of(present.owner, is_host=True).command(run, Stop())
    except LayerwiseError as error:
        toast(error)


def _owner(owner: str) -> str:
    return owner[:SHORT] or _("nobody in particular")


def _more(n: int) -> None:
    if n > 0:
        st.caption(counted("{n} more is not shown.", "{n} more are not shown.", n))
