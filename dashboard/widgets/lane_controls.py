"""A run's lanes under one's hands while it trains: any number, another optimizer, a fork, one more lane, one fewer."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from core.errors import LayerwiseError
from core.events import AddLane, Command, RemoveLane, SwapOptimizer
from core.experiment.experiment import MAX_LANES, Experiment
from core.experiment.lane import Lane
from core.optim.optimizers import AnyOptimizer
from core.spec import parse_json
from core.store.protocol import RunRecord
from dashboard.components.fields import fields_of, translated
from dashboard.session import pace, state
from dashboard.session.run_now import changes_by_hand, experiment_now, removed_lanes, repeatable
from dashboard.text import _, counted
from dashboard.widgets.choice_form import choice_form, tenth
from dashboard.widgets.failure import failure, toast
from dashboard.widgets.run_controls import send, takes_orders, wished

POLL_S = 1.0


def lane_controls(record: RunRecord, *, key: str) -> None:
    """The controls of a live run; nothing for one that is over. Each change is marked on the curves."""
    if not takes_orders(record):
        return
    experiment, gone = experiment_now(record), removed_lanes(record)
    alive = [index for index in range(len(experiment.lanes)) if index not in gone]
    with st.container(key=f"{key}.bar", horizontal=True, vertical_alignment="bottom"):
        lane = _chosen(experiment, alive, key)
        _swap(record, experiment, lane, key)
        _fork(record, experiment, lane, key)
        _join(record, experiment, lane, key)
        st.button(
            _("Remove"),
            key=f"{key}.remove",
            icon=":material/close:",
            disabled=len(alive) < 2,
            on_click=send,
            args=(record.id, RemoveLane(lane)),
            help=_("It is trained no longer; its curve stays."),
        )
    _numbers(record, experiment.lanes[lane], lane, key)
    _watch(record, key)


def _watch(record: RunRecord, key: str) -> None:
    """Runs the page again once the run has taken a change, so that the controls show the lanes as they are."""
    known = len(changes_by_hand(record))

    def poll() -> None:
        try:
            is_new = len(changes_by_hand(record)) != known
        except LayerwiseError as error:
            failure(error)
            return
        if is_new:
            st.rerun()

    st.fragment(poll, run_every=pace.every(POLL_S), key=f"{key}.watch")()


def _chosen(experiment: Experiment, alive: list[int], key: str) -> int:
    """The lane that the controls are about."""
    if st.session_state.get(f"{key}.lane") not in alive:
        st.session_state[f"{key}.lane"] = alive[0]
    lane: int = st.selectbox(
        _("Lane"),
        alive,
        key=f"{key}.lane",
        format_func=lambda index: f"{index + 1}  {experiment.lanes[index].label}",
        width=260,
    )
    return lane


def _numbers(record: RunRecord, lane: Lane, index: int, key: str) -> None:
    """Every number of the lane, as it holds now; a new one holds from the next step on."""
    views = {view.name: view for view in fields_of(type(lane.optimizer))}
    for one in lane.regularizers:
        views |= {f"{one.kind}.{view.name}": view for view in fields_of(type(one))}
    names = {one.kind: translated(one.label) for one in lane.regularizers}
    with st.container(key=f"{key}.numbers", horizontal=True, wrap=True):
        for name, present in lane.numbers().items():
            view, number_key = views[name], f"{key}.number.{index}.{lane.optimizer.kind}.{name}"
            shown, change = wished(record, index, name, present, key=number_key)
            st.session_state[number_key] = float(shown)
            kind, is_inside, _field = name.rpartition(".")
            label = translated(view.label)
            st.number_input(
                f"{names[kind]}: {label}" if is_inside else label[:1].upper() + label[1:],
                None if view.min is None else float(view.min),
                None if view.max is None else float(view.max),
                None,
                float(view.step or tenth(shown)),
                "%g",
                key=number_key,
                on_change=change,
                help=translated(view.help),
                width=190,
            )


def _draft(record: RunRecord, key: str, present: Lane) -> tuple[Lane, Callable[..., None]]:
    """A lane in the making, of this run: what it is so far, and how to change it."""
    kept = st.session_state.get(key)
    lane = parse_json(Lane, kept[1]) if kept and kept[0] == record.id else present

    def change(optimizer: AnyOptimizer) -> None:
        st.session_state[key] = (record.id, lane.but(optimizer=optimizer, name="").model_dump_json())

    return lane, change


def _popover(label: str, key: str, icon: str, *, is_off: bool = False) -> Any:
    """A popover whose inside costs nothing while it is closed, and which `_order` closes."""
    return st.popover(label, key=key, icon=icon, disabled=is_off, on_change="rerun")


def _order(run: str, command: Command, popover: str) -> None:
    if send(run, command):
        st.session_state[popover] = False


def _swap(record: RunRecord, experiment: Experiment, index: int, key: str) -> None:
    """Another optimizer in mid-run."""
    place = _popover(_("Swap optimizer"), f"{key}.swap", ":material/swap_horiz:")
    if not place.open:
        return
    with place:
        st.text(_("The lane goes on from its present weights; what the old optimizer remembers is lost."))
        draft, change = _draft(record, f"{key}.swap.draft.{index}", experiment.lanes[index])
        choice_form(AnyOptimizer, draft.optimizer, key=f"{key}.swap.to", label=_("Go on with"), on_change=change)
        order = (record.id, SwapOptimizer(index, draft.optimizer.model_dump_json()), f"{key}.swap")
        st.button(_("Swap"), key=f"{key}.swap.do", type="primary", on_click=_order, args=order)


def _fork(record: RunRecord, experiment: Experiment, index: int, key: str) -> None:
    """One more lane, from where another is now."""
    lane, is_full = experiment.lanes[index], len(experiment.lanes) >= MAX_LANES
    place = _popover(_("Fork"), f"{key}.fork", ":material/call_split:", is_off=is_full)
    if not place.open:
        return
    with place:
        words = _("A copy of {lane} as it is now, with other numbers or another optimizer if you like.")
        st.text(words.format(lane=lane.label))
        draft, change = _draft(record, f"{key}.fork.draft.{index}", lane)
        choice_form(AnyOptimizer, draft.optimizer, key=f"{key}.fork.to", label=_("The copy goes on with"), on_change=change)
        order = (record.id, AddLane(draft.but(name="").model_dump_json(), index), f"{key}.fork")
        st.button(_("Fork it"), key=f"{key}.fork.do", type="primary", on_click=_order, args=order)


def _join(record: RunRecord, experiment: Experiment, index: int, key: str) -> None:
    """One more lane, from the initial weights."""
    lane, is_full = experiment.lanes[index], len(experiment.lanes) >= MAX_LANES
    place = _popover(_("Add lane"), f"{key}.add", ":material/add:", is_off=is_full)
    if not place.open:
        return
    with place:
        st.text(_("It starts from the same initial weights, sees the same batches, and catches up."))
        draft, change = _draft(record, f"{key}.add.draft", lane.but(name=""))
        choice_form(AnyOptimizer, draft.optimizer, key=f"{key}.add.to", label=_("Optimizer"), on_change=change)
        command = AddLane(draft.but(name="").model_dump_json())
        st.button(
            _("Let it join"), key=f"{key}.add.do", type="primary", on_click=_order, args=(record.id, command, f"{key}.add")
        )


def repeat_with_changes(record: RunRecord, *, key: str) -> None:
    """An offer to take the run's experiment in hand with all that was changed by hand; nothing where nothing was."""
    changes = changes_by_hand(record)
    if not changes:
        return
    with st.container(key=key, horizontal=True, vertical_alignment="center"):
        words = counted("{n} change by hand in this run.", "{n} changes by hand in this run.", len(changes))
        st.text(words)
        st.button(
            _("Repeat with my changes"),
            key=f"{key}.take",
            icon=":material/replay:",
            on_click=partial(_take, record),
            help=_("Takes the experiment in hand with these changes at their steps: trained again, it makes the same curves."),
        )


def _take(record: RunRecord) -> None:
    try:
        state.set_experiment(repeatable(record))
    except LayerwiseError as error:
        toast(error)
