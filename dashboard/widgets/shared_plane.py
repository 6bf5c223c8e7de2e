"""The ways of all lanes of a run over their own loss: asked for by a button, coarse at first, then fine."""

import io
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.experiment.experiment import Experiment
from core.jobs.job import ArtifactRef
from core.jobs.plane_lenses import COARSE, FINE, SharedPlaneJob
from core.results.shared_plane import SharedPlane
from core.store.protocol import RunRecord
from dashboard.figures.landscape import Scale
from dashboard.figures.shared_plane import alt_text, shared_plane_figure, shared_plane_solid
from dashboard.session import resources
from dashboard.session.run_now import experiment_now
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import look

LEAST = 3
"""Checkpoints that span a plane."""


@dataclass(frozen=True, slots=True)
class View:
    """What of the ways is looked at, and how."""

    only: int | None = None
    """One lane; None for all."""
    repeat: int | None = None
    """The seed; None lets the visitor choose where there are several."""
    step: int | None = None
    """The moment that is marked on every way."""
    is_solid: bool = False
    scale: Scale = "log"


def shared_plane(record: RunRecord, *, key: str, view: View = View()) -> None:
    """A button once there are enough checkpoints; then progress, the figure, and in words what is seen."""
    moments = _moments(record)
    if len(moments) < LEAST:
        st.caption(
            _(
                "The ways of the lanes over their loss can be drawn once the run has kept {least} checkpoints; it has {n}."
            ).format(least=LEAST, n=len(moments))
        )
        return
    experiment = experiment_now(record)
    asked = f"{key}.asked"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        repeat = view.repeat if view.repeat is not None else _repeat(experiment, key)
        drawn_to = _drawn_to(record, asked)
        is_more = drawn_to < max(moments)
        label = _("Draw the ways over the loss") if drawn_to < 0 else _("Draw them up to step {n:,}").format(n=max(moments))
        if is_more and st.button(label, key=f"{key}.draw", icon=":material/landscape_2:"):
            drawn_to = max(moments)
            st.session_state[asked] = (record.id, drawn_to)
            st.rerun()
    if drawn_to < 0:
        return
    refs = tuple(moments[step] for step in sorted(moments) if step <= drawn_to)
    if len(refs) >= LEAST:
        _drawn(SharedPlaneJob(experiment=experiment, checkpoints=refs, repeat=repeat, only=view.only), key, view)


def _moments(record: RunRecord) -> dict[int, ArtifactRef]:
    """A checkpoint of each step that was kept."""
    saved = resources.reader().artifacts(record.id, kind="checkpoint")
    return {one.step: ArtifactRef(run=one.run, name=one.name, sha256=one.sha256) for one in saved}


def _drawn_to(record: RunRecord, asked: str) -> int:
    """The step up to which this visitor has asked to see this run; -1 for not yet."""
    known = st.session_state.get(asked)
    return int(known[1]) if known and known[0] == record.id else -1


def _repeat(experiment: Experiment, key: str) -> int:
    """Which seed; lanes of different seeds start from different weights, and share no plane."""
    if experiment.repeats == 1:
        return 0
    chosen = st.selectbox(
        _("Seed"),
        range(experiment.repeats),
        key=f"{key}.repeat",
        format_func=lambda repeat: _("Seed {n}").format(n=repeat + 1),
        width=140,
    )
    return int(chosen or 0)


def _drawn(job: SharedPlaneJob, key: str, view: View) -> None:
    """The finest plane that is there; while the fine one is computed, the coarse one is seen."""
    place = st.container()
    found: list[SharedPlane] = []
    look(job.but(side=COARSE), SharedPlane, found.append, key=f"{key}.coarse")
    if found:
        look(job.but(side=FINE), SharedPlane, found.append, key=f"{key}.fine")
        with place:
            _shown(found[-1], key, view)


def _shown(plane: SharedPlane, key: str, view: View) -> None:
    draw = shared_plane_solid if view.is_solid else shared_plane_figure
    drawing = draw(plane, scale=view.scale, step=view.step, dark=is_dark())
    figure(drawing, key=f"{key}.figure", alt=alt_text(plane))
    st.text(in_words(plane))
    with st.container(horizontal=True):
        download_arrays(plane, "ways-over-the-loss.npz", key=f"{key}.download", label=_("Download the numbers (NPZ)"))
        st.download_button(
            _("Download the ways (CSV)"),
            lambda: table(plane),
            "ways-over-the-loss.csv",
            key=f"{key}.csv",
            icon=":material/download:",
            on_click="ignore",
        )


def in_words(plane: SharedPlane) -> str:
    """What the plane is, how much it shows, and what to be careful of."""
    share = float(plane.explained.sum())
    furthest = max(float(np.max(distances)) for distances in plane.distances)
    words = [
        _(
            "The network has {n:,} weights, so that each checkpoint is a point in {n:,} dimensions. The picture is the plane "
            "through the mean of all checkpoints of all lanes, along the two directions in which they differ most (principal "
            "components); it explains {share:.1%} of their variance, and the furthest checkpoint lies {furthest:.3g} off it."
        ).format(n=plane.n_parameters, share=share, furthest=furthest),
        _(
            "Colours show the loss in the plane, over {n:,} training examples, without dropout. Lanes begin at a ring, the "
            "same for all that start from the initial weights; a star marks the last checkpoint of each."
        ).format(n=plane.n_examples),
    ]
    if share < 0.7:
        words.append(_("Much lies outside of this plane: the loss under a line need not be the loss of the lane there."))
    if plane.is_recomputed:
        words.append(_("Batch normalisation takes its mean and variance from these examples, at every place anew."))
    return " ".join(words)


def table(plane: SharedPlane) -> str:
    """The ways as CSV text, a row per checkpoint."""
    out = io.StringIO()
    out.write("lane,step,x,y,loss,distance\n")
    for index, lane in enumerate(plane.lanes):
        columns = (plane.steps[index], *plane.paths[index].T, plane.path_losses[index], plane.distances[index])
        for step, *numbers in zip(*columns, strict=True):
            out.write(f"{lane},{step},{','.join(repr(float(number)) for number in numbers)}\n")
    return out.getvalue()
