"""One lane in full: its optimizer with its card, its schedule with a preview, and what holds its weights back."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.optim.optimizers import AnyOptimizer
from core.optim.regularizers import AnyRegularizer
from core.optim.schedules import AnySchedule, Constant
from core.spec import choices
from dashboard.components.fields import option_of, translated
from dashboard.text import _
from dashboard.widgets.choice_form import choice_form, fields
from dashboard.widgets.failure import plain, toast
from dashboard.widgets.optimizer_card import optimizer_card
from dashboard.widgets.range_test import range_test
from dashboard.widgets.schedule_preview import schedule_preview

Change = Callable[[Lane], None]


def lane_form(experiment: Experiment, index: int, *, key: str, on_change: Change) -> None:
    """The form of one lane; `on_change` gets the changed lane. What a beginner may leave alone is folded away.

    Args:
        index: the lane's number.
    """
    lane = experiment.lanes[index]
    change = partial(_changed, lane, on_change)
    choice_form(
        AnyOptimizer,
        lane.optimizer,
        key=f"{key}.optimizer",
        label=_("Optimizer"),
        on_change=lambda optimizer: change(optimizer=optimizer, name=_still(lane, optimizer)),
    )
    if words := besides(lane):
        st.caption(plain(words))
    _folded(_("How it works"), f"{key}.about", ":material/function:", lambda: optimizer_card(lane.optimizer))
    test = partial(range_test, experiment, index, key=f"{key}.range")
    _folded(_("Learning-rate range test"), f"{key}.range_box", ":material/trending_up:", test)
    schedule = partial(_schedule, lane, experiment, key=key, change=change)
    _folded(_("Learning-rate schedule"), f"{key}.schedule_box", ":material/trending_down:", schedule)
    held = partial(_regularizers, lane, key=f"{key}.regularizers", change=change)
    _folded(_("Regularization"), f"{key}.regularizers_box", ":material/anchor:", held)


def _folded(title: str, key: str, icon: str, show: Callable[[], None]) -> None:
    """An expander whose inside costs nothing while it is closed. Its title must not change: it would close."""
    place = st.expander(title, key=key, on_change="rerun", icon=icon)
    if place.open:
        with place:
            show()


def _schedule(lane: Lane, experiment: Experiment, *, key: str, change: Callable[..., None]) -> None:
    choice_form(
        AnySchedule,
        lane.schedule,
        key=f"{key}.schedule",
        label=_("Schedule"),
        on_change=lambda chosen: change(schedule=chosen),
    )
    schedule_preview(lane, experiment, key=f"{key}.schedule_preview")


def _still(lane: Lane, optimizer: AnyOptimizer) -> str:
    """The lane's name: another optimizer is not called by the old one's."""
    return lane.name if optimizer.kind == lane.optimizer.kind else ""


def _changed(lane: Lane, on_change: Change, **changes: object) -> None:
    try:
        on_change(lane.but(**changes))
    except SpecError as error:
        toast(error)


def besides(lane: Lane) -> str:
    """What a lane has besides its optimizer, in a line; empty where it has nothing."""
    schedule = (
        [] if isinstance(lane.schedule, Constant) else [_("schedule: {name}").format(name=translated(lane.schedule.label))]
    )
    return " · ".join([*schedule, *(translated(one.label) for one in lane.regularizers)])


def _regularizers(lane: Lane, *, key: str, change: Callable[..., None]) -> None:
    """Which act, and the numbers of each; they act in the order of the Menu, whatever the order of clicks."""
    menu = {cls.kind_name(): cls for cls in choices(AnyRegularizer)}
    present = {one.kind: one for one in lane.regularizers}

    def pick() -> None:
        wanted = st.session_state[f"{key}.kinds"]
        change(regularizers=tuple(present.get(kind) or cls() for kind, cls in menu.items() if kind in wanted))

    st.session_state[f"{key}.kinds"] = list(present)
    st.pills(
        _("What holds gradient and weights back"),
        list(menu),
        selection_mode="multi",
        key=f"{key}.kinds",
        format_func=lambda kind: translated(menu[kind].label),
        on_change=pick,
    )
    for one in lane.regularizers:
        with st.container(border=True):
            st.text(translated(one.label))
            st.caption(translated(option_of(type(one)).help))
            others = partial(_replaced, lane, change)
            fields(one, key=f"{key}.{one.kind}", on_change=others)


def _replaced(lane: Lane, change: Callable[..., None], changed: AnyRegularizer) -> None:
    change(regularizers=tuple(changed if one.kind == changed.kind else one for one in lane.regularizers))
