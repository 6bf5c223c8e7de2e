"""The real server without pages and pool, for `benchmarks.viewers`: streamlit's ASGI app, our guards, routes and store."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import streamlit as st

from core.settings import Settings
from core.store.sql import SqlReader
from dashboard.server import lifespan, middleware, routes
from dashboard.session.follow import FollowerHub

HUB = FollowerHub(SqlReader(Path(os.environ["LAYERWISE_HOME"]) / "runs.db"))

app = st.App(
    Path(__file__).with_name("__init__.py"),
    lifespan=lifespan(lambda: None),
    middleware=middleware(Settings.from_environment()),
    routes=routes(lambda: HUB),
)
