"""Who races: the lanes in a list, one of them open to be changed, and quick ways to a whole field."""

from collections.abc import Callable

import streamlit as st

from core.errors import SpecError
from core.experiment.experiment import MAX_LANES, Experiment
from core.experiment.lane import Lane
from core.experiment.races import RACES, Race
from core.optim.optimizers import AnyOptimizer
from core.spec import choices
from dashboard.components.fields import translated
from dashboard.text import _, counted
from dashboard.widgets.failure import plain, toast
from dashboard.widgets.lane_form import besides, lane_form

Lanes = tuple[Lane, ...]
Change = Callable[[Lanes], None]


def race_presets(experiment: Experiment, *, key: str, on_change: Change) -> None:
    """Whole fields at one click."""
    with st.container(key=key, horizontal=True, gap="small"):
        for race in RACES:
            st.button(
                _(race.label),
                key=f"{key}.{race.name}",
                help=_(race.about),
                icon=":material/flag:",
                on_click=_take,
                args=(race, experiment, on_change),
            )


def _take(race: Race, experiment: Experiment, on_change: Change) -> None:
    on_change(race.lanes(experiment.lanes[0].optimizer))


def lane_editor(experiment: Experiment, *, key: str, on_change: Change, below: Callable[[], None]) -> None:
    """The list with the form of the chosen lane beside it; `on_change` gets all lanes.

    Args:
        below: draws what stands below the list: what holds for all lanes.
    """
    lanes, chosen = experiment.lanes, f"{key}.chosen"
    at = min(int(st.session_state.get(chosen, 0)), len(lanes) - 1)
    st.session_state[chosen] = at
    listed, form = st.columns([2, 3], gap="medium")
    with listed:
        with st.container(key=f"{key}.list", gap="xxsmall"):
            _list(lanes, at, key)
        _add(lanes, key, on_change)
        below()
    with form, st.container(border=True):
        with st.container(key=f"{key}.head", horizontal=True, vertical_alignment="bottom"):
            _name(lanes, at, key, on_change)
            _head_buttons(lanes, at, key, on_change)
        lane_form(experiment, at, key=f"{key}.lane", on_change=lambda lane: on_change(_replaced(lanes, at, lane)))


def _list(lanes: Lanes, at: int, key: str) -> None:
    """One row per lane, which opens it."""
    for index, lane in enumerate(lanes):
        st.button(
            f"{index + 1}  {plain(_row(lane))}",
            width="stretch",
            key=f"{key}.open.{index}",
            type="secondary" if index == at else "tertiary",
            icon=":material/edit:" if index == at else ":material/chevron_right:",
            on_click=_choose,
            args=(key, index),
            help=plain(besides(lane)) or _("Open it to change it."),
        )


def _row(lane: Lane) -> str:
    """A lane in the list: a name that was given does not hide what it stands for."""
    own = lane.but(name="").label
    return f"{lane.name}: {own}" if not own.startswith(lane.name) else own


def _choose(key: str, index: int) -> None:
    st.session_state[f"{key}.chosen"] = index


def _copy(lanes: Lanes, index: int, key: str, on_change: Change) -> None:
    """The copy stands right behind its model, and is open to be changed."""
    _choose(key, index + 1)
    on_change((*lanes[: index + 1], lanes[index].but(name=""), *lanes[index + 1 :]))


def _remove(lanes: Lanes, index: int, key: str, on_change: Change) -> None:
    _choose(key, max(0, index - 1))
    on_change((*lanes[:index], *lanes[index + 1 :]))


def _head_buttons(lanes: Lanes, at: int, key: str, on_change: Change) -> None:
    st.button(
        _("Duplicate"),
        key=f"{key}.copy",
        icon=":material/content_copy:",
        disabled=len(lanes) >= MAX_LANES,
        on_click=_copy,
        args=(lanes, at, key, on_change),
    )
    st.button(
        _("Remove"),
        key=f"{key}.remove",
        icon=":material/close:",
        disabled=len(lanes) == 1,
        on_click=_remove,
        args=(lanes, at, key, on_change),
    )


def _replaced(lanes: Lanes, at: int, lane: Lane) -> Lanes:
    return (*lanes[:at], lane, *lanes[at + 1 :])


def _add(lanes: Lanes, key: str, on_change: Change) -> None:
    """One more lane, with the defaults of its optimizer."""
    kind_key = f"{key}.add"
    menu = {cls.kind_name(): cls for cls in choices(AnyOptimizer)}

    def add() -> None:
        kind = st.session_state[kind_key]
        if kind is None:
            return
        st.session_state[kind_key] = None
        _choose(key, len(lanes))
        on_change((*lanes, Lane(optimizer=menu[kind]())))

    count = counted("{n} lane", "{n} lanes", len(lanes))
    st.selectbox(
        _("Add a lane ({count} of at most {most})").format(count=count, most=MAX_LANES),
        list(menu),
        index=None,
        key=kind_key,
        placeholder=_("Choose an optimizer"),
        format_func=lambda kind: translated(menu[kind].label),
        on_change=add,
        disabled=len(lanes) >= MAX_LANES,
        help=_("It starts with the usual numbers of its optimizer."),
    )


def _name(lanes: Lanes, at: int, key: str, on_change: Change) -> None:
    """What the legend calls it."""
    name_key = f"{key}.name"

    def rename() -> None:
        name = " ".join(st.session_state[name_key].split())
        try:
            on_change(_replaced(lanes, at, lanes[at].but(name="" if name == lanes[at].but(name="").label else name)))
        except SpecError as error:
            toast(error)

    st.session_state[name_key] = lanes[at].label
    st.text_input(
        _("Lane {n}, called").format(n=at + 1),
        key=name_key,
        max_chars=40,
        on_change=rename,
        help=_("Its name in the legend. Emptied, it is called by its optimizer and learning rate."),
    )
