"""A chart that stands still, with its alternative text and its files."""

import plotly.graph_objects as go
import streamlit as st

from dashboard.components.chart_files import chart_files
from dashboard.figures.enlarged import enlarged
from dashboard.session import view

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def figure(drawing: go.Figure, *, key: str, alt: str) -> None:
    """The figure as it is: colours come from dashboard/figures/theme.py, not from Streamlit; larger for a projector. Below it,
    PNG, SVG and CSV."""
    with st.container(key=f"{key}.chart", gap="xxsmall"):
        st.plotly_chart(sized(drawing), key=key, theme=None, config=CONFIG, alt=alt)
        chart_files(key, key=f"{key}.files")


def sized(drawing: go.Figure) -> go.Figure:
    """The figure, larger where it is shown to a room."""
    return enlarged(drawing) if view.is_projector() else drawing


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
