"""Build an experiment: which data, which stack of layers, how it is trained. What does not fit is said in place."""

import json
from functools import partial

import streamlit as st

from core.data.menu import AnyDataset
from core.errors import LayerwiseError
from core.experiment.check import findings
from core.experiment.experiment import Experiment, Lane
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec, infer
from core.models.presets import PRESETS, Preset
from core.optim.losses import AnyLoss
from core.optim.optimizers import AnyOptimizer
from core.spec import parse_json
from dashboard.components.layer_stack import layer_stack, stack_view
from dashboard.session import resources, state
from dashboard.text import _, counted
from dashboard.widgets.choice_form import choice_form
from dashboard.widgets.failure import toast
from dashboard.widgets.findings import findings as findings_list
from dashboard.widgets.training_form import training_form


def render() -> None:
    """The Build screen."""
    experiment = state.experiment()
    settings, stack = st.columns([2, 5], gap="medium")
    with settings:
        _data(experiment)
        _training(experiment)
    with stack:
        _model(experiment)


def _data(experiment: Experiment) -> None:
    with st.container(border=True):
        st.subheader(_("Data"))
        use = partial(_use_field, experiment, "data")
        choice_form(AnyDataset, experiment.data, key="build.data", label=_("Data set"), on_change=use)
        profile = experiment.data.profile()
        sizes = _("{train:,} training, {validation:,} validation, {test:,} test examples")
        st.caption(sizes.format(train=profile.n_train, validation=profile.n_validation, test=profile.n_test))


def _training(experiment: Experiment) -> None:
    with st.container(border=True):
        st.subheader(_("Training"))
        lane = experiment.lanes[0]
        choice_form(
            AnyOptimizer,
            lane.optimizer,
            key="build.optimizer",
            label=_("Optimizer"),
            on_change=lambda optimizer: _use(experiment, lanes=(Lane(optimizer=optimizer), *experiment.lanes[1:])),
        )
        use = partial(_use_field, experiment, "loss")
        choice_form(AnyLoss, experiment.loss, key="build.loss", label=_("Loss"), on_change=use)
        training_form(experiment, key="build.training", on_change=partial(_use, experiment))


def _model(experiment: Experiment) -> None:
    """Presets, the builder, and what is found about the experiment as a whole."""
    profile = experiment.data.profile()
    fitting = [preset for preset in PRESETS if preset.fits(profile.input_shape)]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(_("Model"), width="stretch")
        with st.popover(_("Presets"), icon=":material/auto_awesome:"):
            for preset in fitting:
                model = preset.model(profile.n_classes)
                n = infer(model, profile.input_shape).n_parameters
                st.button(
                    f"{_(preset.label)} ({counted('{n} parameter', '{n} parameters', n)})",
                    key=f"build.preset.{preset.name}",
                    help=_(preset.about),
                    on_click=_use,
                    args=(experiment,),
                    kwargs={"model": model},
                    width="stretch",
                )
    found = findings(experiment, resources.settings())
    about_model = [finding for finding in found if finding.where[:1] == ("layers",)]
    view = stack_view(experiment.model, infer(experiment.model, profile.input_shape), about_model)

    def fix(index: int, code: str) -> None:
        for finding in about_model:
            is_there = finding.where == ("layers", index) or (index == -1 and len(finding.where) == 1)
            if finding.code == code and is_there and finding.fix is not None:
                _use(experiment, model=finding.fix.spec.model)  # type: ignore[attr-defined]
                return

    if any(finding.severity == "error" for finding in about_model) and fitting:
        _way_out(experiment, fitting[-1], profile.n_classes)
    layer_stack(
        view,
        AnyLayer,
        key="build.stack",
        parse=_model_from,
        on_edit=lambda model: _use(experiment, model=model),
        on_fix=fix,
    )
    findings_list([finding for finding in found if finding not in about_model], screen="build")


def _way_out(experiment: Experiment, preset: Preset, n_classes: int) -> None:
    """One button out of a stack that was made for other data."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(
            _("This stack does not fit the data. Mend it below, layer by layer, or start from one that fits."), width="stretch"
        )
        st.button(
            _("Use {preset}").format(preset=_(preset.label)),
            key="build.way_out",
            on_click=_use,
            args=(experiment,),
            kwargs={"model": preset.model(n_classes)},
            icon=":material/auto_awesome:",
        )


def _model_from(layers: list[dict[str, object]]) -> ModelSpec:
    """A checked model from what the builder sent."""
    return parse_json(ModelSpec, json.dumps({"layers": layers}))


def _use_field(experiment: Experiment, name: str, value: object) -> None:
    _use(experiment, **{name: value})


def _use(experiment: Experiment, **changes: object) -> None:
    try:
        state.set_experiment(experiment.but(**changes))
    except LayerwiseError as error:
        toast(error)
