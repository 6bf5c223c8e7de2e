"""Build an experiment: which data, which stack of layers, how it is trained. What does not fit is said in place."""

import json
from dataclasses import replace
from functools import partial

import streamlit as st

from core.data.menu import AnyDataset
from core.diagnostics import Diagnostic
from core.experiment.check import findings, n_series
from core.experiment.check_frozen import trained_inference
from core.experiment.experiment import Experiment, Lane
from core.models.estimate import epoch_seconds
from core.models.layers.menu import AnyLayer
from core.models.model import ModelSpec, infer
from core.optim.losses import AnyLoss
from core.spec import parse_json
from dashboard.components.layer_stack import StackView, layer_stack, path_of, stack_view
from dashboard.components.network import network
from dashboard.session import lesson, resources, state
from dashboard.text import _, duration
from dashboard.widgets.changes import use, use_data
from dashboard.widgets.choice_form import choice_form
from dashboard.widgets.findings import findings as findings_list
from dashboard.widgets.fork_origin import frozen_form
from dashboard.widgets.initialisation import initialisation
from dashboard.widgets.lane_form import lane_form
from dashboard.widgets.model_text import model_code, model_text
from dashboard.widgets.presets import presets, way_out
from dashboard.widgets.training_form import training_form
from dashboard.widgets.weights import weights

Path = tuple[int, ...]


def render() -> None:
    """The Build screen."""
    experiment = state.experiment()
    found = findings(experiment, resources.settings())
    about_model = [finding for finding in found if finding.where[:1] == ("layers",)]
    parts = {"build.data": _data, "build.training": _training}
    settings = [draw for group, draw in parts.items() if not lesson.is_hidden(group)]
    beside, stack = st.columns([2, 5], gap="medium") if settings else (st.container(), st.container())
    with beside:
        for draw in settings:
            draw(experiment)
    with stack:
        _model(experiment, about_model)
        findings_list([finding for finding in found if finding not in about_model], screen="build")
        if not lesson.is_hidden("build.code"):
            _as_text(experiment)


def _data(experiment: Experiment) -> None:
    with st.container(border=True):
        st.subheader(_("Data"))
        choice_form(AnyDataset, experiment.data, key="build.data", label=_("Data set"), on_change=partial(use_data, experiment))
        profile = experiment.data.profile()
        sizes = _("{train:,} training, {validation:,} validation, {test:,} test examples")
        st.caption(sizes.format(train=profile.n_train, validation=profile.n_validation, test=profile.n_test))


def _training(experiment: Experiment) -> None:
    with st.container(border=True):
        st.subheader(_("Training"))
        if len(experiment.lanes) > 1:
            st.caption(_("This is lane 1 of {n}; the others are edited on the Race screen.").format(n=len(experiment.lanes)))
        lane_form(experiment, 0, key="build", on_change=partial(_use_lane, experiment))
        choice_form(
            AnyLoss, experiment.loss, key="build.loss", label=_("Loss"), on_change=partial(_use_field, experiment, "loss")
        )
        training_form(experiment, key="build.training", on_change=partial(use, experiment))
        if experiment.origin or experiment.frozen or experiment.model.weights:
            frozen_form(experiment, key="build.frozen", on_change=partial(_use_field, experiment, "frozen"))


def _use_lane(experiment: Experiment, lane: Lane) -> None:
    use(experiment, lanes=(lane, *experiment.lanes[1:]))


def _model(experiment: Experiment, found: list[Diagnostic]) -> None:
    """Presets, the drawing and the builder."""
    profile, model = experiment.data.profile(), experiment.model
    inference = infer(model, profile.input_shape)
    use_model = partial(_use_field, experiment, "model")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(_("Model"), width="stretch")
        if not lesson.is_hidden("build.presets"):
            initialisation(model, key="build.init", on_change=lambda **changes: use_model(model.but(**changes)))
            presets(experiment, key="build.preset", on_use=use_model)
    if not lesson.is_hidden("build.network"):
        network(model, inference, key="build.network", inputs=profile.feature_names, outputs=profile.class_names)

    def fix(path: Path, code: str) -> None:
        for finding in found:
            if finding.code == code and path_of(finding) == path and finding.fix is not None:
                use_model(finding.fix.spec.model)  # type: ignore[attr-defined]
                return

    if any(finding.severity == "error" for finding in found):
        way_out(experiment, key="build.way_out", on_use=use_model)
    layer_stack(
        _with_time(stack_view(model, inference, found), experiment),
        AnyLayer,
        key="build.stack",
        parse=partial(_model_from, model),
        on_edit=use_model,
        on_fix=fix,
    )


def _with_time(view: StackView, experiment: Experiment) -> StackView:
    """The stack with an estimate of what training takes, and how much of it is trained where layers are frozen."""
    profile, trained = experiment.data.profile(), trained_inference(experiment)
    batch = experiment.batch(profile.n_train)
    seconds = epoch_seconds(trained, profile.n_train, batch, profile.n_validation) * n_series(experiment)
    totals = [(_("Parameters that are trained"), f"{trained.n_parameters:,}")] if experiment.frozen else []
    return replace(view, totals=(*view.totals, *totals, (_("Time per epoch, about"), duration(seconds))))


def _as_text(experiment: Experiment) -> None:
    """Code, architecture and weights of the model, each when it is asked for."""
    code, text, start = st.tabs(
        [_("Code"), _("Architecture as text"), _("Weights from a file")], key="build.as", on_change="rerun"
    )
    use_model = partial(_use_field, experiment, "model")
    if code.open:
        with code:
            model_code(experiment, key="build.code")
    if text.open:
        with text:
            model_text(experiment.model, key="build.text", on_use=use_model)
    if start.open:
        with start:
            weights(experiment, key="build.weights", on_use=use_model)


def _model_from(present: ModelSpec, layers: list[dict[str, object]]) -> ModelSpec:
    """A checked model from what the builder sent, started as the present one."""
    return present.but(layers=parse_json(ModelSpec, json.dumps({"layers": layers})).layers)


def _use_field(experiment: Experiment, name: str, value: object) -> None:
    use(experiment, **{name: value})
