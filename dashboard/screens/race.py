"""Race optimizers against each other on one network: same initial weights, same batches; who wins, and how sure is that?"""

from collections.abc import Callable
from functools import partial

import streamlit as st

from core.data.plane import Plane
from core.errors import SpecError
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.store.protocol import RunRecord
from dashboard.components.boundary import boundary
from dashboard.components.live_curves import live_curves
from dashboard.figures.theme import categorical
from dashboard.session import lesson, state
from dashboard.session.plane import plane_points
from dashboard.text import _
from dashboard.widgets.changes import use
from dashboard.widgets.compress_made import is_made_smaller
from dashboard.widgets.doctor import doctor
from dashboard.widgets.failure import toast
from dashboard.widgets.known import known_of
from dashboard.widgets.lane_controls import lane_controls, repeat_with_changes
from dashboard.widgets.lane_editor import lane_editor, race_presets
from dashboard.widgets.phases import phases
from dashboard.widgets.race_form import edited, rates, seeds
from dashboard.widgets.resume import resume
from dashboard.widgets.run_controls import run_controls, takes_orders
from dashboard.widgets.shared_plane import shared_plane
from dashboard.widgets.surface_race import surface_race
from dashboard.widgets.sweep import sweep
from dashboard.widgets.training_form import training_form
from dashboard.widgets.verdict import verdict


def render() -> None:
    """The Race screen."""
    st.text(
        _("A race trains one network several times at once, with equal initial weights and batches: only the lanes differ.")
    )
    experiment = state.experiment()
    views: dict[str, tuple[str, Callable[[Experiment], None]]] = {
        "network": (_("On this network"), _on_this_network),
        "surface": (_("On a surface"), _on_a_surface),
        "sweep": (_("Sweep"), _sweep),
        "plane": (_("In one plane"), _in_one_plane),
    }
    shown = [views[name] for name in lesson.left("race", views)]
    for tab, (_label, view) in zip(
        st.tabs([label for label, _view in shown], key="race.tabs", on_change="rerun"), shown, strict=True
    ):
        if tab.open:
            with tab:
                view(experiment)


def _on_this_network(experiment: Experiment) -> None:
    record = state.run()
    _setup(experiment, record)
    if record is not None and is_made_smaller(record):
        st.info(
            _("The present run was made smaller, not trained: Train says what came of it. Press Race to start a race."),
            icon=":material/info:",
        )
        return
    with st.container():  # one element for the page, whatever is in it: the curves below stay where they are, and live
        _steer(record)
    if record is None:
        st.info(_("No race yet. Choose who races above, then press Race."), icon=":material/flag:")
        return
    _watch(record, state.experiment_of(record.job))
    if not lesson.is_hidden("doctor"):
        doctor(record, key="race.doctor")
    if not lesson.is_hidden("repeat"):
        repeat_with_changes(record, key="race.repeat")


def _steer(record: RunRecord | None) -> None:
    """What the race can be told, above its curves."""
    run_controls(record, key="race")
    resume(record, key="race.resume_ended")
    if record is not None:
        _by_hand(record)
        phases(record, key="race")


def _on_a_surface(experiment: Experiment) -> None:
    """The same lanes where all can be seen: on a landscape of two numbers."""
    surface_race(experiment.lanes, key="race.surface")


def _sweep(experiment: Experiment) -> None:
    """The same tries for each optimizer: which rates suit it, and how much it minds."""
    sweep(experiment, key="race.sweep")


def _in_one_plane(experiment: Experiment) -> None:
    """The ways of the lanes of the present run over their own loss."""
    record = state.run()
    if record is None:
        st.info(_("No race yet. Its ways over the loss are drawn here once there is one."), icon=":material/info:")
        return
    shared_plane(record, key="race.plane")


def _setup(experiment: Experiment, record: RunRecord | None) -> None:
    """Who races, and how; folded away while there is a run to look at."""
    if lesson.is_hidden("race.setup"):
        return
    box = st.expander(
        _("Who races, and how"), expanded=record is None, key="race.setup", on_change="rerun", icon=":material/groups:"
    )
    if not box.open:
        return
    use_lanes = partial(_use_lanes, experiment)
    with box:
        race_presets(experiment, key="race.preset", on_change=lambda lanes: use(experiment, lanes=lanes))
        lane_editor(experiment, key="race.lanes", on_change=use_lanes, below=partial(_for_all, experiment))


def _for_all(experiment: Experiment) -> None:
    """What holds for all lanes."""
    rates(experiment, key="race.rates", on_change=lambda lanes: use(experiment, lanes=lanes))
    seeds(experiment, key="race.seeds", on_change=partial(use, experiment))
    training_form(experiment, key="race.training", on_change=partial(use, experiment))


def _use_lanes(experiment: Experiment, lanes: tuple[Lane, ...]) -> None:
    try:
        use(experiment, lanes=edited(experiment, lanes, key="race.rates"))
    except SpecError as error:
        toast(error)


def _watch(record: RunRecord, experiment: Experiment) -> None:
    """The curves of all lanes; on 2-D data what each lane makes of the plane."""
    live_curves(
        record.id,
        key="race.curves",
        palettes=(categorical(dark=False), categorical(dark=True)),
        known=known_of(record, experiment),
    )
    if isinstance(experiment.data, Plane) and not lesson.is_hidden("plane"):
        data = experiment.data
        points, y, is_validation = plane_points(data, experiment.seed)
        names = tuple(_(name) for name in data.class_names)
        boundary(points, y, is_validation, record.id, key="race.boundary", class_names=names)
    if not lesson.is_hidden("race.verdict"):
        verdict(record, key="race.verdict")


def _by_hand(record: RunRecord) -> None:
    """What can be changed in mid-race. Above the curves: what is below them moves as they grow."""
    if takes_orders(record) and not lesson.is_hidden("change"):
        box = st.expander(_("Change the race"), key="race.by_hand", on_change="rerun", icon=":material/build:")
        if box.open:
            with box:
                lane_controls(record, key="race.hand")
