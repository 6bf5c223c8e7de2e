"""The lanes of an experiment on an analytic surface: choose it and the start, watch the ways of all, take them home."""

from collections.abc import Sequence
from functools import lru_cache, partial

import numpy as np
import streamlit as st

from core.errors import LayerwiseError
from core.experiment.experiment import Lane
from core.jobs.lenses import RESULT
from core.jobs.surface_race import SurfaceRaceJob
from core.optim.schedules import Constant
from core.optim.surfaces import AnySurface, Point, SurfaceChoice, SurfaceSettings, SurfaceTask
from core.results.codec import load_result
from core.results.surface_path import SurfacePaths, path_table
from core.spec import Spec, parse_json
from dashboard.components.fields import fields_of
from dashboard.components.surface_race import Look, SurfaceRelief, SurfaceScene
from dashboard.components.surface_race import surface_race as drawing
from dashboard.figures.surface import scale_of
from dashboard.figures.theme import categorical
from dashboard.session import resources
from dashboard.text import _
from dashboard.widgets.choice_form import choice_form
from dashboard.widgets.lens import ASKED, look

SIDE = 161
"""Grid points each way, of what is in view."""


class Scene(Spec):
    """What a visitor has chosen: the race, and the square of the surface in view."""

    task: SurfaceTask = SurfaceTask()
    centre: Point = SurfaceTask().surface.centre
    half: float = SurfaceTask().surface.half

    def on(self, surface: SurfaceChoice) -> "Scene":
        """The same race on another surface, from where one usually starts; another shape of the same keeps start and view."""
        if surface.kind == self.task.surface.kind:
            return self.but(task=self.task.but(surface=surface))
        return Scene(task=self.task.but(surface=surface, start=surface.start), centre=surface.centre, half=surface.half)


def surface_race(lanes: Sequence[Lane], *, key: str) -> None:
    """The race of these lanes over a surface that the visitor chooses."""
    if not lanes:
        st.info(_("Add a lane, and its way over a surface is drawn here."), icon=":material/info:")
        return
    scene = _scene(key)
    _choices(scene, lanes, key)
    place = st.container(key=f"{key}.place")
    found: list[SurfacePaths] = []
    look(SurfaceRaceJob(task=scene.task, lanes=tuple(lanes)), SurfacePaths, found.append, key=f"{key}.job")
    if found:
        st.session_state[f"{key}.last"] = (scene.task.surface.model_dump_json(), st.session_state[f"{ASKED}{key}.job"][1])
    paths = found[0] if found else _last(scene.task.surface, key)
    with place:
        _drawing(scene, paths, key, is_current=bool(found))
        if found:
            _take_home(found[0], scene.task.surface, key)


def _scene(key: str) -> Scene:
    text = st.session_state.get(f"{key}.scene")
    return parse_json(Scene, text) if text else Scene()


def _keep(key: str, scene: Scene) -> None:
    st.session_state[f"{key}.scene"] = scene.model_dump_json()


def _choices(scene: Scene, lanes: Sequence[Lane], key: str) -> None:
    """Which surface, and how the race over it goes."""
    task = scene.task
    with st.container(border=True, key=f"{key}.choices"):
        surface, race, more = st.columns([5, 5, 6], gap="medium")
        with surface:
            choice_form(
                AnySurface,
                task.surface,
                key=f"{key}.surface",
                label=_("Surface"),
                on_change=lambda chosen: _keep(key, scene.on(chosen)),
            )
        with race:
            steps, noise = st.columns(2)
            with steps:
                _number("n_steps", scene, key)
            with noise:
                _number("noise", scene, key)
            _start(scene, key)
        with more:
            _rates(scene, key)
            if any(not isinstance(lane.schedule, Constant) for lane in lanes):
                _number("epochs", scene, key)
            if task.noise:
                _number("seed", scene, key)
            _about(task.surface)


def _number(name: str, scene: Scene, key: str) -> None:
    """One number of the task, with the bounds of its field."""
    view = next(view for view in fields_of(SurfaceSettings) if view.name == name)
    present = getattr(scene.task, name)
    of = int if view.kind == "int" else float
    widget = f"{key}.{name}"

    def changed() -> None:
        given = st.session_state[widget]
        if given is not None:
            _keep(key, scene.but(task=scene.task.but(**{name: view.clamp(given)})))

    st.session_state[widget] = present
    label = _(view.label)
    st.number_input(
        label[:1].upper() + label[1:],
        of(view.min or 0),
        of(view.max or 0),
        step=of(1),
        format=None if of is int else "%g",
        key=widget,
        on_change=changed,
        help=_(view.help),
    )


def _start(scene: Scene, key: str) -> None:
    """The start by number, for those who want the same one again."""
    surface = scene.task.surface

    def changed() -> None:
        given = tuple(st.session_state[f"{key}.start.{axis}"] for axis in "xy")
        start = tuple(old if new is None else float(new) for old, new in zip(scene.task.start, given, strict=True))
        _keep(key, scene.but(task=scene.task.but(start=start)))

    for axis, column in enumerate(st.columns(2)):
        name = "xy"[axis]
        st.session_state[f"{key}.start.{name}"] = scene.task.start[axis]
        column.number_input(
            _("Start {axis}").format(axis=name),
            surface.centre[axis] - surface.half,
            surface.centre[axis] + surface.half,
            step=surface.half / 20,
            format="%.3f",
            key=f"{key}.start.{name}",
            on_change=changed,
        )


def _rates(scene: Scene, key: str) -> None:
    words = {"tuned": _("Tuned"), "own": _("As in each lane")}

    def changed() -> None:
        chosen = st.session_state[f"{key}.rates"]
        if chosen in words:
            _keep(key, scene.but(task=scene.task.but(rates=chosen)))

    st.session_state[f"{key}.rates"] = scene.task.rates
    st.segmented_control(
        _("Learning rates"),
        list(words),
        format_func=words.__getitem__,
        key=f"{key}.rates",
        on_change=changed,
        help=_(
            "Tuned: each lane tries the same learning rates, from 0.0001 to 10, once each from the surface's usual start, and "
            "races with the one that ended lowest: an equal budget for all. What is good for a network is seldom good here."
        ),
    )


def _about(surface: SurfaceChoice) -> None:
    """What there is to know of the surface."""
    st.latex(surface.formula)
    limit = surface.stable_below()
    if limit is not None:
        st.caption(
            _("Plain gradient descent converges with learning rates below {limit:.4g}, and diverges above.").format(limit=limit)
        )


def _last(surface: SurfaceChoice, key: str) -> SurfacePaths | None:
    """The newest paths that this visitor saw of this surface, to be shown until the next ones are there."""
    text, run = st.session_state.get(f"{key}.last", ("", ""))
    if text != surface.model_dump_json():
        return None
    try:
        return _loaded(run)
    except LayerwiseError:  # forgotten meanwhile: it is only a stopgap
        return None


@lru_cache(maxsize=32)
def _loaded(run: str) -> SurfacePaths:
    return load_result(SurfacePaths, resources.client().artifact_bytes(run, RESULT))


@lru_cache(maxsize=64)
def _relief(surface: SurfaceChoice, centre: Point, half: float) -> SurfaceRelief:
    """The surface over the square in view."""
    axis = np.linspace(-half, half, SIDE)
    x, y = np.meshgrid(centre[0] + axis, centre[1] + axis)
    losses = np.maximum(surface.value(x, y) - surface.lowest, 0)
    scale = scale_of(losses)
    return SurfaceRelief(scale.heights(losses), scale.levels)


def _drawing(scene: Scene, paths: SurfacePaths | None, key: str, *, is_current: bool) -> None:
    surface = scene.task.surface

    def change(chosen: Look) -> None:
        present = _scene(key)
        _keep(key, present.but(task=present.task.but(start=chosen.start), centre=chosen.centre, half=chosen.half))

    seen = Look(scene.task.start, scene.centre, scene.half)
    drawing(
        SurfaceScene(surface, _relief(surface, scene.centre, scene.half), paths, seen, is_current),
        key=f"{key}.drawing",
        palettes=(categorical(dark=False), categorical(dark=True)),
        on_look=change,
    )


def _take_home(paths: SurfacePaths, surface: SurfaceChoice, key: str) -> None:
    st.download_button(
        _("Download the paths (CSV)"),
        partial(path_table, paths),
        f"{surface.kind}_paths.csv",
        "text/csv",
        key=f"{key}.csv",
        icon=":material/download:",
        on_click="ignore",
    )
