"""A chart that stands still, with its alternative text."""

import plotly.graph_objects as go
import streamlit as st

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def figure(drawing: go.Figure, *, key: str, alt: str) -> None:
    """The figure as it is: colours come from dashboard/figures/theme.py, not from Streamlit."""
    st.plotly_chart(drawing, key=key, theme=None, config=CONFIG, alt=alt)


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return st.context.theme.type == "dark"
