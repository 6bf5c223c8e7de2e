"""Time travel: one slider over the kept moments of a run, for all panels of all screens."""

import time
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import streamlit as st

from core.history import History
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.components.time_slider import Curve, Tick
from dashboard.components.time_slider import time_slider as slider
from dashboard.session import pace, run_history, selection
from dashboard.session.moments import Moment, moments
from dashboard.session.moments import newest as newest_kept
from dashboard.text import _
from dashboard.widgets.lens_wait import is_any_unfinished, waits_of_page

FOLLOW_S = 1.0
"""How often a page that follows the newest moment looks for one."""
FOLLOWED, LEFT_S = "time_slider.followed", 10.0
"""Which moment of which run is shown, as (run, step, when); a page that was left for so long begins with the newest."""
POINTS = 120
"""Of the loss curve behind the slider."""


def time_slider(record: RunRecord, series: int, *, key: str) -> Moment | None:
    """The chosen moment of this run, the newest one as long as nobody moves it; None before the first checkpoint."""
    kept = moments(record)
    is_following = selection.moment(record.id) is None and record.state in UNFINISHED
    if not kept:
        if is_following:
            _follow(record.id, -1)
        st.text(_("The first checkpoint is not there yet; these are the initial weights."))
        return None
    by_step = {one.step: one for one in kept}
    newest = next(one for one in kept if one.is_newest)
    chosen = selection.moment(record.id)
    present = _followed(record, by_step, newest) if chosen is None else by_step.get(chosen) or _nearest(kept, chosen)

    def choose(step: int) -> None:
        st.session_state.pop(FOLLOWED, None)
        selection.choose_moment(record.id, None if step == newest.step else step)

    if len(kept) > 1:
        ticks = [Tick(one.step, one.epoch, one.validation_loss, one.is_best, one.is_newest) for one in kept]
        curves = run_history.asked(record, lambda history: loss_curves(history, series))
        slider(record.id, ticks, present.step, curves=curves, key=key, on_choose=choose)
    if is_following:
        _follow(record.id, present.step)
    return present


def _followed(record: RunRecord, by_step: Mapping[int, Moment], newest: Moment) -> Moment:
    """The moment that a page shows which follows the newest: it stays at one until all that is shown of this is there, however
    often it runs meanwhile, or where moments come faster than answers it would show none of them."""
    known = st.session_state.get(FOLLOWED)
    if record.state in UNFINISHED and known and known[0] == record.id and time.monotonic() - known[2] < LEFT_S:
        shown = by_step.get(known[1], newest)
    else:
        shown = newest
    st.session_state[FOLLOWED] = (record.id, shown.step, time.monotonic())
    return shown


def _nearest(kept: tuple[Moment, ...], step: int) -> Moment:
    """A moment that was chosen may have been thinned out since: the one beside it is looked at."""
    return min(kept, key=lambda one: abs(one.step - step))


def _follow(run: str, shown: int) -> None:
    """Go on to the newest moment once the run has kept another one and all that is shown of this one is there."""
    waits = waits_of_page()

    def poll() -> None:
        pace.present()
        last = newest_kept(run)
        if last is not None and last[1] != shown and not is_any_unfinished(waits):
            st.session_state.pop(FOLLOWED, None)
            st.rerun()
        if FOLLOWED in st.session_state:
            st.session_state[FOLLOWED] = (run, shown, time.monotonic())

    st.fragment(poll, run_every=pace.every(FOLLOW_S))()


def loss_curves(history: History, series: int) -> tuple[Curve, Curve]:
    """The batch losses of a series, as means over equal parts of a logarithmic axis, and its validation losses by epoch."""
    if series >= len(history.losses):
        return (), ()
    losses = np.asarray(history.losses[series], float)
    validation = [(row.step, row.validation_loss[series]) for row in history.epochs if series < len(row.validation_loss)]
    if not len(losses):
        return (), validation
    edges = np.unique(np.geomspace(1, len(losses) + 1, POINTS + 1).round().astype(int)) - 1
    parts = [(int(stop), losses[start:stop]) for start, stop in pairwise(edges)]
    batches = [(stop, float(np.mean(part[np.isfinite(part)]))) for stop, part in parts if np.isfinite(part).any()]
    thinned = validation if len(validation) <= POINTS else [validation[i] for i in _places(len(validation))]
    return batches, thinned


def _places(n: int) -> list[int]:
    """Places in a row of `n`, evenly on a logarithmic axis, the last among them."""
    return sorted({int(place) - 1 for place in np.geomspace(1, n, POINTS).round()})
