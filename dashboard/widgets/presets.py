"""Ready stacks to start from, those that fit the data; what is wrong with one as it was printed is said, with its twin."""

from collections.abc import Callable

import streamlit as st

from core.experiment.experiment import Experiment
from core.models.model import ModelSpec, infer
from core.models.preset import Preset
from core.models.presets import PRESETS, preset
from dashboard.text import _, counted

USUAL = ("cnn-32-64", "cnn-8x8", "lstm", "mlp-2d", "mlp-tabular", "logistic")
"""What most would start from, the first that fits."""


def fitting_presets(experiment: Experiment) -> list[Preset]:
    """The presets for such data."""
    profile = experiment.data.profile()
    return [each for each in PRESETS if each.fits(profile.input_shape, profile.n_tokens, profile.task)]


def preset_model(each: Preset, experiment: Experiment) -> ModelSpec:
    """A preset made to measure for data and loss."""
    profile = experiment.data.profile()
    return each.model(experiment.loss.n_outputs(profile.n_classes), profile.n_tokens)


def presets(experiment: Experiment, *, key: str, on_use: Callable[[ModelSpec], None]) -> None:
    """A popover with a button for each."""
    with st.popover(_("Presets"), icon=":material/auto_awesome:", key=f"{key}.popover"):
        for each in fitting_presets(experiment):
            _preset(each, experiment, key, on_use)


def _preset(each: Preset, experiment: Experiment, key: str, on_use: Callable[[ModelSpec], None]) -> None:
    model = preset_model(each, experiment)
    n = infer(model, experiment.data.profile().input_shape).n_parameters
    st.button(
        f"{_(each.label)} ({counted('{n} parameter', '{n} parameters', n)})",
        key=f"{key}.{each.name}",
        help=_(each.about),
        on_click=on_use,
        args=(model,),
        width="stretch",
        icon=":material/warning:" if each.warning else None,
    )
    if each.warning:
        twin = preset(each.twin)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_(each.warning), width="stretch")
            st.button(
                _("Corrected: {name}").format(name=_(twin.label)),
                key=f"{key}.twin.{each.name}",
                on_click=on_use,
                args=(preset_model(twin, experiment),),
            )


def way_out(experiment: Experiment, *, key: str, on_use: Callable[[ModelSpec], None]) -> None:
    """One button out of a stack that was made for other data."""
    by_name = {each.name: each for each in fitting_presets(experiment)}
    usual = next((by_name[name] for name in USUAL if name in by_name), None)
    if usual is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        words = _(
            "The present stack of layers does not fit these data. Mend it on the Build screen, or start from one that fits."
        )
        st.text(words, width="stretch")
        st.button(
            _("Use {preset}").format(preset=_(usual.label)),
            key=key,
            on_click=on_use,
            args=(preset_model(usual, experiment),),
            icon=":material/auto_awesome:",
        )
