"""How weights and biases start, where a layer does not say otherwise."""

from collections.abc import Callable

import streamlit as st

from core.models.init import AnyBiasInit, AnyInit
from core.models.model import ModelSpec
from dashboard.text import _
from dashboard.widgets.choice_form import choice_form


def initialisation(model: ModelSpec, *, key: str, on_change: Callable[..., None]) -> None:
    """A popover with both forms; `on_change` gets the changed field of the model by name."""
    with st.popover(_("Start: {name}").format(name=_(model.init.label)), icon=":material/casino:", key=f"{key}.popover"):
        choice_form(
            AnyInit, model.init, key=f"{key}.weights", label=_("Weights"), on_change=lambda start: on_change(init=start)
        )
        choice_form(
            AnyBiasInit,
            model.bias_init,
            key=f"{key}.biases",
            label=_("Biases"),
            on_change=lambda start: on_change(bias_init=start),
        )
        st.caption(_("A layer may start in its own way: see its settings in the stack."))
