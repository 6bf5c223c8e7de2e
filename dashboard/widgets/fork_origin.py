"""Where the experiment in hand starts, in a line above every screen; and which of its layers are not trained."""

from collections.abc import Callable

import streamlit as st

from core.experiment.experiment import Experiment
from core.experiment.fork import from_scratch
from core.models.model import infer, layer_name
from dashboard.session import state
from dashboard.text import _, counted
from dashboard.widgets.compare import SHORT_RUN


def origin_words(experiment: Experiment) -> str:
    """`from run ab12cd, step 300 · 2 layers frozen`; empty for an experiment that starts fresh and trains all."""
    parts, origin = [], experiment.origin
    if origin is not None:
        words = (
            _("from run {run}, step {step}, with optimizer state")
            if origin.optimizer_state
            else _("from run {run}, step {step}")
        )
        parts.append(words.format(run=origin.run[:SHORT_RUN], step=f"{origin.step:,}"))
    if experiment.frozen:
        parts.append(counted("{n} layer frozen", "{n} layers frozen", len(set(experiment.frozen))))
    return " · ".join(parts)


def origin_line(experiment: Experiment) -> None:
    """The words on a button with a cross, which forgets them; nothing where there is nothing to say."""
    words = origin_words(experiment)
    if not words:
        return
    st.button(
        words,
        key="header.from_scratch",
        icon=":material/close:",
        icon_position="right",
        type="tertiary",
        on_click=_forget,
        help=_("Forget this: start from scratch, with fresh initial weights, and train all layers."),
    )


def _forget() -> None:
    state.set_experiment(from_scratch(state.experiment()))


def frozen_form(experiment: Experiment, *, key: str, on_change: Callable[[tuple[int, ...]], None]) -> None:
    """Which layers are not trained; `on_change` gets their indices."""
    asked = f"{key}.layers"
    st.session_state[asked] = sorted(set(experiment.frozen) & set(freezable(experiment)))
    frozen_choice(experiment, asked, on_change=lambda: on_change(tuple(st.session_state[asked])))


def frozen_choice(experiment: Experiment, asked: str, *, on_change: Callable[[], None] | None = None) -> tuple[int, ...]:
    """The multiselect with this key, and what is chosen in it."""
    layers = experiment.model.layers
    chosen = st.multiselect(
        _("Frozen layers"),
        freezable(experiment),
        key=asked,
        on_change=on_change,
        format_func=lambda index: layer_name(layers, (index,)) if index < len(layers) else str(index + 1),
        placeholder=_("none: all layers are trained"),
        help=_("Their weights stay as they are. Dropout in them drops nothing, and batch normalisation keeps its statistics."),
    )
    return tuple(sorted(chosen))


def freezable(experiment: Experiment) -> list[int]:
    """Layers with weights of their own that are trained; and what is frozen already."""
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    weighted = {index for index, info in enumerate(inference.layers) if info.n_parameters}
    return sorted(weighted | {index for index in experiment.frozen if index < len(experiment.model.layers)})
