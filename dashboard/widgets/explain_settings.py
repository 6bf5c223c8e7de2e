"""The settings of one explanation method, in a popover beside its name."""

import streamlit as st

from core.experiment.experiment import Experiment
from core.explanation.explainer import ExplainerChoice
from core.explanation.grad_cam import cam_layers
from dashboard.components.fields import fields_of, translated
from dashboard.session import methods
from dashboard.text import _
from dashboard.widgets.choice_form import fields

ASKED_OF_ALL = ("baseline",)
"""Chosen once for all methods, in the question above them."""
LAYER = "layer"


def settings(method: ExplainerChoice, experiment: Experiment, *, key: str) -> None:
    """Nothing where there is nothing to set. What is chosen holds in every panel."""
    views = [view for view in fields_of(type(method)) if view.name not in ASKED_OF_ALL]
    if not views:
        return
    with st.popover(_("Settings"), icon=":material/tune:", type="tertiary", key=key):
        if any(view.name == LAYER for view in views):
            _layer(method, experiment, f"{key}.{LAYER}")
        fields(method, key=f"{key}.form", on_change=methods.keep, without=(*ASKED_OF_ALL, LAYER))
        st.caption(_("Source: {source}").format(source=method.source))
        st.button(
            _("Usual settings"),
            key=f"{key}.usual",
            on_click=methods.forget,
            args=(method.kind,),
            disabled=not methods.is_changed(method),
            icon=":material/undo:",
        )


def _layer(method: ExplainerChoice, experiment: Experiment, key: str) -> None:
    """Which layer's maps are read, of those that have maps."""
    layers = {layer.number: layer for layer in cam_layers(experiment.model, experiment.data.profile().input_shape)}
    present = str(getattr(method, LAYER))
    labels = {"": _("the last convolution that sees places")} | {
        number: f"{number} {layer.kind}, {layer.height} × {layer.width}" for number, layer in layers.items()
    }
    labels.setdefault(present, present)  # a layer of another model: it is refused in words
    st.session_state[key] = present

    def choose() -> None:
        methods.keep(method.but(layer=st.session_state[key]))

    help_text = next(translated(view.help) for view in fields_of(type(method)) if view.name == LAYER)
    st.selectbox(_("Layer"), list(labels), format_func=labels.__getitem__, key=key, on_change=choose, help=help_text)
