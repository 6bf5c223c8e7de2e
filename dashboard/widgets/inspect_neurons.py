"""Neurons and lines of a small net, and what each neuron answers over the plane of the data."""

import numpy as np
import streamlit as st

from core.data.plane import Plane, PlanePoints
from core.errors import LayerwiseError
from core.jobs.lenses import ExampleRef
from core.jobs.weight_lenses import NeuronsJob, reason_against_neurons
from core.results.responses import NeuronResponses
from dashboard.components.neurons import neurons
from dashboard.figures import theme
from dashboard.session import selection
from dashboard.text import _
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.figure import is_dark
from dashboard.widgets.lens import look
from dashboard.widgets.subject import Subject

MAX_POINTS = 400


def panel(subject: Subject, *, key: str) -> None:
    """The net; or why it is not drawn."""
    if reason := reason_against_neurons(subject.experiment):
        st.info(reason, icon=":material/info:")
        return
    job = NeuronsJob(**subject.asked() | {"example": ExampleRef()})
    look(job, NeuronResponses, lambda found: _net(found, subject, key), key=f"{key}.net")


def _net(found: NeuronResponses, subject: Subject, key: str) -> None:
    layers = len(subject.experiment.model.layers)
    layer, unit = selection.layer(layers), selection.unit(2**31)
    neurons(
        found,
        key=f"{key}.drawing",
        lines=theme.categorical(is_dark())[:2],
        chosen=None if layer is None else (layer, unit or 0),
        points=_points(subject) if found.responses else None,
        on_choose=selection.choose_unit,
    )
    st.caption(in_words(found))
    download_arrays(found, "neurons.npz", key=f"{key}.download", label=_("Download weights and responses (NPZ)"))


def in_words(found: NeuronResponses) -> str:
    """What is drawn, and of which moment."""
    moment = _("Weights after step {step:,}.").format(step=found.step) if found.step else _("Initial weights.")
    if not found.responses:
        return moment + " " + _("A table has no plane to draw responses over: squares are neurons, lines their weights.")
    return (
        moment
        + " "
        + _(
            "Each square shows what its neuron hands on to the next layer at every place of the plane: orange above 0, blue "
            "below, as far as its own largest value. Dots on the large map are examples of the training data."
        )
    )


def _points(subject: Subject) -> list[np.ndarray] | None:
    """x1, x2 and shade of some training points; None where they cannot be had."""
    data = subject.experiment.data
    if not isinstance(data, Plane):
        return None
    try:
        plane: PlanePoints = data.plane(subject.experiment.seed)
    except LayerwiseError:
        return None
    train = np.flatnonzero(~plane.is_validation)[:MAX_POINTS]
    y = plane.y[train].astype(float)
    shade = y / max(1.0, float(y.max())) if data.class_names else (np.clip(y, -1, 1) + 1) / 2
    return [plane.points[train, 0], plane.points[train, 1], shade]
