"""The components to draw on, and the drawing of a net, on one page."""

import streamlit as st

from core.models.layers.activation import ReLU
from core.models.layers.containers import Parallel, Residual
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import MaxPool2d
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec, infer
from dashboard.components.digit_pad import digit_pad
from dashboard.components.network import network
from dashboard.components.point_pad import point_pad

st.set_page_config(page_title="Drawing", layout="wide")
st.session_state.setdefault("points", ((-200, -200, 0), (200, 200, 1)))
st.session_state.setdefault("n_bytes", 0)


def keep_points(points: tuple[tuple[int, int, int], ...]) -> None:
    st.session_state.points = points


def keep_drawing(picture: bytes) -> None:
    st.session_state.n_bytes = len(picture)


st.title("Drawing")
left, right = st.columns(2)
with left:
    point_pad(st.session_state.points, key="points_pad", class_names=("0", "1"), on_edit=keep_points)
    st.text(f"Points: {[list(point) for point in st.session_state.points]}")
with right:
    digit_pad(key="digit_pad", on_draw=keep_drawing)
    st.text(f"Drawn: {st.session_state.n_bytes > 0}")

small = ModelSpec(layers=(Linear(out_features=8), ReLU(), Linear(out_features=4), ReLU(), Linear(out_features=2)))
network(small, infer(small, (2,)), key="small", inputs=("x1", "x2"), outputs=("class 0", "class 1"))
block = (Conv2d(out_channels=16, padding=1), ReLU(), Conv2d(out_channels=32, padding=1))
deep = ModelSpec(
    layers=(
        Conv2d(padding=1),
        ReLU(),
        Residual(layers=block),
        MaxPool2d(),
        Parallel(branches=((Conv2d(out_channels=8, kernel_size=1),), (Conv2d(out_channels=8, padding=1), ReLU()))),
        Flatten(),
        Linear(out_features=64),
        ReLU(),
        Linear(out_features=10),
    )
)
network(deep, infer(deep, (1, 28, 28)), key="deep")
