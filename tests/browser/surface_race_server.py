"""Serves the page of the race over a surface with the real server parts and a real pool."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import streamlit as st  # noqa: E402

from core.settings import Settings  # noqa: E402
from dashboard.server import ensure_pool, hub, lifespan, middleware, routes  # noqa: E402

app = st.App(
    HERE / "surface_race_page.py",
    lifespan=lifespan(ensure_pool),
    middleware=middleware(Settings.from_environment()),
    routes=routes(hub),
)
