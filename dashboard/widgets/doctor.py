"""What the training doctor found in a run: one card for each finding and lane, the newest first, with its one click."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import LayerwiseError
from core.events import Command, Diagnosed, HyperChanged, OptimizerSwapped, load_line
from core.experiment.experiment import Experiment
from core.spec import parse_json
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session import pace, state
from dashboard.session.run_now import events, experiment_now
from dashboard.text import _, counted
from dashboard.widgets.failure import toast
from dashboard.widgets.findings import LOOK
from dashboard.widgets.read_only import is_watching
from dashboard.widgets.run_controls import LIVE, send

POLL_S = 10.0
"""The curves beside it let the page run again as soon as something is found; this is for the case that they are not there."""
SHOWN = 6
"""Cards that are open; older ones are folded away."""


@dataclass(frozen=True, slots=True)
class Group:
    """One finding of one lane: the newest time it was told, and in how many of its series."""

    newest: Diagnosed
    lane: int
    n_series: int
    is_past: bool
    """The lane was changed by hand since."""


def doctor(record: RunRecord, *, key: str) -> None:
    """The findings so far; while the run goes on they are looked at again."""

    def look() -> None:
        experiment = experiment_now(record)
        told = [event for event in events(record, "Diagnosed") if isinstance(event, Diagnosed)]
        groups = grouped(told, _changed_at(record), experiment.repeats)
        present = [group for group in groups if not group.is_past]
        _cards(present[:SHOWN], record, experiment, key)
        if not present:
            has_begun = record.state not in ("queued", "starting")  # the curves tell the page when that changes
            words = _("Nothing to worry about so far.") if has_begun else _("The training doctor looks at it once it trains.")
            st.caption(f":material/stethoscope: {words}")
        older = [*present[SHOWN:], *(group for group in groups if group.is_past)]
        if older:
            with st.expander(counted("{n} earlier finding", "{n} earlier findings", len(older))):
                _cards(older, record, experiment, key)

    st.fragment(look, run_every=pace.every(POLL_S) if record.state in UNFINISHED else None)()


def grouped(told: Sequence[Diagnosed], changed_at: dict[int, int], repeats: int) -> list[Group]:
    """The findings by code and lane, the newest first.

    Args:
        changed_at: the step after which each lane was last changed by hand.
    """
    series: dict[tuple[str, int], set[int]] = {}
    newest: dict[tuple[str, int], Diagnosed] = {}
    for one in told:
        at = (one.code, one.series // repeats)
        series.setdefault(at, set()).add(one.series)
        newest.pop(at, None)  # the last one told comes last
        newest[at] = one
    return [
        Group(one, lane, len(series[code, lane]), one.step <= changed_at.get(lane, -1))
        for (code, lane), one in reversed(newest.items())
    ]


def _changed_at(record: RunRecord) -> dict[int, int]:
    """The step after which each lane was last changed by hand."""
    changes = events(record, "HyperChanged", "OptimizerSwapped")
    return {change.lane: change.step for change in changes if isinstance(change, HyperChanged | OptimizerSwapped)}


def _cards(groups: Sequence[Group], record: RunRecord, experiment: Experiment, key: str) -> None:
    for group in groups:
        _card(group, record, experiment, f"{key}.{group.newest.code}.{group.lane}")


def _card(group: Group, record: RunRecord, experiment: Experiment, key: str) -> None:
    """What was found, where and when, what to do, and the button that does it."""
    one = group.newest
    icon, color, words = LOOK[one.severity]
    with st.container(border=True, key=key):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(_(words), icon=icon, color=color)  # type: ignore[arg-type]
            st.text(_where(group, experiment))
        st.text(one.message)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(one.hint, width="stretch")
            _button(one, record, key)


def _where(group: Group, experiment: Experiment) -> str:
    """`Adam, lr 0.01 · 3 of 4 seeds · step 120`."""
    parts = [_("step {n:,}").format(n=group.newest.step)]
    if experiment.repeats > 1:
        parts.insert(0, _("{n} of {all} seeds").format(n=group.n_series, all=experiment.repeats))
    if len(experiment.lanes) > 1 and group.lane < len(experiment.lanes):
        parts.insert(0, experiment.lanes[group.lane].label)
    return " · ".join(parts)


def _button(one: Diagnosed, record: RunRecord, key: str) -> None:
    """A command goes to the run while it can take one; a changed experiment is taken in hand, to be trained anew."""
    if one.command:
        if is_watching(record):
            return
        is_live = record.state in LIVE
        help_text = _("Changes the run from the next step on.") if is_live else _("The run takes no changes any more.")
        st.button(
            one.action,
            key=f"{key}.act",
            on_click=_order,
            args=(record.id, one.command),
            disabled=not is_live,
            help=help_text,
            icon=":material/tune:",
        )
    elif one.experiment:
        is_taken = st.button(
            one.action,
            key=f"{key}.act",
            on_click=_take,
            args=(one.experiment,),
            help=_("Takes the changed experiment in hand; press Train or Race to run it."),
            icon=":material/build:",
        )
        if is_taken:
            st.rerun()  # the whole page, not only this fragment, shows the experiment in hand


def _order(run: str, text: str) -> None:
    command = load_line(text)
    if isinstance(command, Command):
        send(run, command)


def _take(text: str) -> None:
    """An experiment from another version may not be understood any more."""
    try:
        state.set_experiment(parse_json(Experiment, text))
    except LayerwiseError as error:
        toast(error)
