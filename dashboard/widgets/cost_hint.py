"""What a large run will take, said before it is started."""

import streamlit as st

from core.experiment.experiment import Experiment
from core.experiment.need import Need, need_of
from core.jobs.pool.line import limits_of
from core.settings import Settings
from dashboard.session import resources
from dashboard.text import _, counted, duration

MB = 2**20


def cost_hint(experiment: Experiment) -> None:
    """A line where the run would be a large one; the others start at once and need none."""
    need, settings = need_of(experiment), resources.settings()
    if need.is_large(settings):
        with st.container(key="cost.hint"):
            st.caption(cost_words(need, settings))


def cost_words(need: Need, settings: Settings) -> str:
    """Memory, arithmetic and time, and how many such runs work at once."""
    known = _("A large run: about {mb:,.0f} MB of memory, {gflop:,.1f} GFLOP per step")
    if need.seconds is not None:
        known = _("A large run: about {mb:,.0f} MB of memory, {gflop:,.1f} GFLOP per step, {time} on one core")
    time = duration(need.seconds) if need.seconds is not None else ""
    turns = counted(
        "{n} of them works at once, others wait.", "{n} of them work at once, others wait.", limits_of(settings).large
    )
    return known.format(mb=need.memory_bytes / MB, gflop=need.step_gflop, time=time) + ". " + turns
