"""A page with the curves and the plane, for AppTest."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np
import streamlit as st

from dashboard.components.boundary import boundary
from dashboard.components.live_curves import Known, live_curves

st.session_state.setdefault("heard", [])
live_curves(
    st.query_params.get("run"),
    key="curves",
    palettes=(["#0072B2", "red;}"], ["blue"]),
    known=Known("running"),
    on_state=st.session_state.heard.append,
)
points = np.array([[0.12345, 1.0], [np.nan, 0.0], [2.0, -3.0]])
boundary(points, np.array([0, 1, 1]), np.array([False, False, True]), st.query_params.get("run"), key="plane")
