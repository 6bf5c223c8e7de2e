"""Serves the page of clicks with the real server parts."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import streamlit as st  # noqa: E402

from core.settings import Settings  # noqa: E402
from dashboard.server import lifespan, middleware, routes  # noqa: E402
from dashboard.session.follow import FollowerHub  # noqa: E402
from tests.dashboard.fake_reader import ClockReader  # noqa: E402

HUB = FollowerHub(ClockReader())

app = st.App(
    HERE / "clicks_page.py",
    lifespan=lifespan(lambda: None),
    middleware=middleware(Settings.from_environment()),
    routes=routes(lambda: HUB),
)
