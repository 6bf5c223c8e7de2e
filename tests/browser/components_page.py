"""The components on one page; `?run=<id>` chooses the run, `?stack=resnet` a stack with stacks inside, and its drawing."""

import json

import numpy as np
import streamlit as st

from core.models.layers.menu import AnyLayer
from core.models.lint import lint
from core.models.model import ModelSpec, infer
from core.models.stack import Path
from core.spec import parse_json
from dashboard.components.boundary import boundary
from dashboard.components.layer_stack import layer_stack, path_of, stack_view
from dashboard.components.live_curves import live_curves
from dashboard.components.network import network
from dashboard.components.shared import PLOTLY  # noqa: F401
from dashboard.figures.theme import categorical

INPUT = (1, 28, 28)
PLAIN = (
    '{"layers": [{"kind": "Conv2d", "padding": 1}, {"kind": "ReLU"}, {"kind": "MaxPool2d"}, {"kind": "Flatten"},'
    ' {"kind": "Linear", "out_features": 64}, {"kind": "ReLU"}, {"kind": "Dropout"}, {"kind": "Linear", "out_features": 10}]}'
)


def resnet() -> str:
    """A tiny ResNet with three stages and an inception block, and something to find deep inside."""
    block = [{"kind": "Conv2d", "padding": 1, "bias": False}, {"kind": "BatchNorm2d"}, {"kind": "ReLU"}]
    wide = [{"kind": "Conv2d", "out_channels": 32, "padding": 1, "stride": 2, "init": {"kind": "he"}}, {"kind": "BatchNorm2d"}]
    side = [{"kind": "Conv2d", "out_channels": 8, "kernel_size": 1}, {"kind": "Residual", "layers": [{"kind": "Tanh"}]}]
    layers = [
        *block,
        {"kind": "Residual", "layers": [*block, *block]},
        {"kind": "ReLU"},
        {"kind": "Residual", "layers": wide},
        {"kind": "ReLU"},
        {"kind": "Parallel", "branches": [side, [{"kind": "Conv2d", "out_channels": 8, "padding": 1}, {"kind": "ReLU"}], []]},
        {"kind": "AvgPool2d", "kernel_size": 7},
        {"kind": "Flatten"},
        {"kind": "Linear", "out_features": 10},
    ]
    return json.dumps({"layers": layers})


def keep(model: ModelSpec) -> None:
    st.session_state.model = model.model_dump_json()


def checked(layers: list) -> ModelSpec:
    return parse_json(ModelSpec, json.dumps({"layers": layers}))


def kinds(layers: tuple) -> str:
    """What Python knows of the stack: `Residual(Conv2d | ReLU)`."""
    inside = [" | ".join(kinds(branch) for branch in layer.inner()) for layer in layers]
    return " ".join(
        f"{layer.kind}({text})" if layer.inner() else layer.kind for layer, text in zip(layers, inside, strict=True)
    )


def fix(path: Path, code: str) -> None:
    model = parse_json(ModelSpec, st.session_state.model)
    for finding in lint(model, INPUT, 10):
        if finding.code == code and path_of(finding) == path and finding.fix is not None:
            keep(finding.fix.spec)
            return


st.set_page_config(page_title="Components", layout="wide")
st.session_state.setdefault("model", {"resnet": resnet(), "empty": '{"layers": []}'}.get(st.query_params.get("stack"), PLAIN))
st.title("Components")
run = st.query_params.get("run")
st.session_state.setdefault("states", [])
palettes = (categorical(dark=False), categorical(dark=True))
model = parse_json(ModelSpec, st.session_state.model)
inference = infer(model, INPUT)
if "stack" in st.query_params:
    network(model, inference, key="network")
else:
    live_curves(run, key="curves", palettes=palettes, on_state=lambda state: st.session_state.states.append(state))
    st.text("States: " + ", ".join(st.session_state.states))
is_race = (run or "").startswith("race")
left, right = (st.container(), None) if is_race else st.columns([2, 5])
with left:
    random = np.random.default_rng(0)
    points = random.normal(scale=2.0, size=(200, 2))
    labels = (np.hypot(*points.T) > 2.5).astype(int)
    boundary(points, labels, np.arange(200) % 4 == 0, run, key="plane", class_names=("inside", "outside"))
if right is None:
    st.stop()
with right:
    view = stack_view(model, inference, lint(model, INPUT, 10))
    layer_stack(view, AnyLayer, key="stack", parse=checked, on_edit=keep, on_fix=fix)
st.text("Kinds: " + kinds(model.layers))
