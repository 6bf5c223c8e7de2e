"""What stands in place of every page where a login is required and nobody has logged in."""

import streamlit as st

from dashboard.session import resources
from dashboard.session.visitor import login
from dashboard.text import _


def is_let_in() -> bool:
    """Whether this visitor may see the pages."""
    return not resources.settings().login_required or login() is not None


def ask_for_login() -> None:
    """One sentence and one button."""
    st.title(_("Welcome to Layerwise"))
    st.text(_("Log in to see this page. Your runs then belong to your account, in every browser."))
    st.button(_("Log in"), key="login.start", type="primary", icon=":material/login:", on_click=st.login)
