"""A race over a surface on a page of its own."""

from pathlib import Path

import streamlit as st

from core.experiment.lane import Lane
from core.optim.optimizers import LBFGS, SGD, Adam, RMSprop
from dashboard.text import _
from dashboard.widgets.surface_race import surface_race

LANES = (
    Lane(optimizer=SGD()),
    Lane(optimizer=SGD(momentum=0.9), name="Momentum"),
    Lane(optimizer=RMSprop()),
    Lane(optimizer=Adam()),
    Lane(optimizer=LBFGS(), name="L-BFGS"),
)

st.set_page_config(page_title="Surface race", layout="wide")
st.html(Path(__file__).resolve().parents[2] / "dashboard/assets/page.css")
st.title(_("Race over a surface"))
surface_race(LANES[: int(st.query_params.get("lanes", 4))], key="surface")
