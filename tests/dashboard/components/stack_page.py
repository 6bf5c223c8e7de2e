"""A page with the builder alone, for AppTest."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import streamlit as st

from core.models.layers.menu import AnyLayer
from core.models.lint import lint
from core.models.model import ModelSpec, infer
from core.spec import parse_json
from dashboard.components.layer_stack import layer_stack, stack_view

START = '{"layers": [{"kind": "Flatten"}, {"kind": "Linear", "out_features": 10}]}'
st.session_state.setdefault("model", START)
st.session_state.setdefault("fixed", [])


def keep(model: ModelSpec) -> None:
    st.session_state.model = model.model_dump_json()


model = parse_json(ModelSpec, st.session_state.model)
layer_stack(
    stack_view(model, infer(model, (1, 8, 8)), lint(model, (1, 8, 8), 10)),
    AnyLayer,
    key="stack",
    parse=lambda layers: parse_json(ModelSpec, json.dumps({"layers": layers})),
    on_edit=keep,
    on_fix=lambda path, code: st.session_state.fixed.append((path, code)),
)
