"""The three components on one page; `?run=<id>` chooses the run."""

import numpy as np
import streamlit as st

from core.models.layers.menu import AnyLayer
from core.models.lint import lint
from core.models.model import ModelSpec, infer
from core.spec import parse_json
from dashboard.components.boundary import boundary
from dashboard.components.layer_stack import layer_stack, stack_view
from dashboard.components.live_curves import live_curves
from dashboard.components.shared import PLOTLY  # noqa: F401

INPUT = (1, 28, 28)
st.set_page_config(page_title="Components", layout="wide")
START = (
    '{"layers": [{"kind": "Conv2d", "padding": 1}, {"kind": "ReLU"}, {"kind": "MaxPool2d"}, {"kind": "Flatten"},'
    ' {"kind": "Linear", "out_features": 64}, {"kind": "ReLU"}, {"kind": "Dropout"}, {"kind": "Linear", "out_features": 10}]}'
)
st.session_state.setdefault("model", START)


def keep(model: ModelSpec) -> None:
    st.session_state.model = model.model_dump_json()


def checked(layers: list) -> ModelSpec:
    import json

    return parse_json(ModelSpec, json.dumps({"layers": layers}))


def fix(index: int, code: str) -> None:
    model = parse_json(ModelSpec, st.session_state.model)
    for finding in lint(model, INPUT, 10):
        if finding.code == code and finding.fix is not None:
            keep(finding.fix.spec)
            return


st.title("Components")
run = st.query_params.get("run")
st.session_state.setdefault("states", [])
palette = ["#0072B2", "#D55E00"]
live_curves(run, key="curves", palettes=(palette, palette), on_state=lambda state: st.session_state.states.append(state))
st.text("States: " + ", ".join(st.session_state.states))
left, right = st.columns([1, 2])
with left:
    random = np.random.default_rng(0)
    points = random.normal(scale=2.0, size=(200, 2))
    labels = (np.hypot(*points.T) > 2.5).astype(int)
    boundary(points, labels, np.arange(200) % 4 == 0, run, key="plane", class_names=("inside", "outside"))
with right:
    model = parse_json(ModelSpec, st.session_state.model)
    view = stack_view(model, infer(model, INPUT), lint(model, INPUT, 10))
    layer_stack(view, AnyLayer, key="stack", parse=checked, on_edit=keep, on_fix=fix)
