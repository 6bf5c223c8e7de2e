"""The board of a room: the newest run of everybody who follows it, on one chart and in one table."""

import streamlit as st

from dashboard.session import state
from dashboard.text import _


def render() -> None:
    """The Room screen."""
    if not state.kept("room"):
        st.info(_("You are in no room. Open a room, or the link of somebody's room, to see everybody's runs here."))
