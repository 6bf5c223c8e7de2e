"""Neurons and lines on a page of its own: a net by hand, once more with other weights, and a table without a plane."""

import numpy as np
import streamlit as st

from core.results.responses import NeuronResponses
from dashboard.components.neurons import neurons

SIDE = 50


def net(scale: float) -> NeuronResponses:
    """2 inputs, 3 Tanh neurons, 1 output, over the plane."""
    axis = np.linspace(-6, 6, SIDE, dtype=np.float32)
    x2, x1 = np.meshgrid(axis, axis, indexing="ij")
    first = np.array([[scale, 0], [0, -0.5], [0.25, 0.25]], np.float32)
    second = np.array([[1.0, -2.0, 0.5]], np.float32)
    inputs = np.stack([x1, x2])
    hidden = np.tanh(np.tensordot(first, inputs, 1))
    biases = (np.array([0, 0.5, -0.5], np.float32), np.zeros(1, np.float32))
    return NeuronResponses(
        labels=("Input", "Linear", "Linear"),
        places=(-1, 0, 2),
        after=("", "Tanh", ""),
        input_names=("x1", "x2"),
        output_names=("value",),
        weights=(first, second),
        biases=biases,
        responses=(inputs, hidden, np.tensordot(second, hidden, 1)),
        span=6.0,
        step=3,
    )


def choose(layer: int, unit: int) -> None:
    st.session_state.chosen = (layer, unit)


st.set_page_config(page_title="Neurons", layout="wide")
st.title("Neurons")
scale = 4.0 if st.toggle("Later") else 1.0
chosen = st.session_state.get("chosen")
points = [np.array([-2.0, 2.0]), np.array([0.0, 1.0]), np.array([0.0, 1.0])]
neurons(net(scale), key="plane", lines=("#0072B2", "#D55E00"), chosen=chosen, points=points, on_choose=choose)
st.text(f"Chosen: {chosen}")
table = net(1.0)
bare = NeuronResponses(**{name: getattr(table, name) for name in table.__slots__} | {"responses": ()})
neurons(bare, key="table", lines=("#0072B2", "#D55E00"), on_choose=choose)
