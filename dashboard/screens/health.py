"""How the server is doing, for its host: what works, who waits, what it takes, and what went wrong."""

import streamlit as st

from dashboard.session import pace, resources
from dashboard.session.visitor import asks_for_host_key, visitor
from dashboard.session.vitals import store_size, vitals
from dashboard.text import _
from dashboard.widgets.health_now import memory_words, recent_minutes, state_of_things, streams_words
from dashboard.widgets.health_store import errors, settings_in_force, store
from dashboard.widgets.health_workers import queue, stop_a_run, workers

EVERY_S = 2.0
CHOICE_S = 10.0
"""A list that is drawn anew closes under the hand: the choice of a run waits longer."""


def render() -> None:
    """The Health screen."""
    if not visitor().is_host:
        _for_the_host()
        return
    st.fragment(_now, run_every=pace.every(EVERY_S), key="health.watch")()
    st.fragment(_stopping, run_every=pace.every(CHOICE_S), key="health.stopping_part")()
    with st.expander(_("Settings in force"), icon=":material/tune:", key="health.settings_in"):
        st.caption(_("Each is read from the environment when the server starts. Secrets are never shown."))
        settings_in_force(resources.settings())


def _now() -> None:
    """All that changes by itself."""
    if not visitor().is_host:
        _for_the_host()
        return
    pace.present()
    watched = vitals()
    pool = watched.pool_health()
    samples = watched.samples() or (watched.sample(),)
    state_of_things(pool, samples)
    st.caption(streams_words(watched.streams()))
    recent_minutes(samples)
    if pool is not None:
        st.subheader(_("Workers"))
        st.caption(memory_words(pool))
        workers(pool)
        st.subheader(_("Queue"))
        queue(pool)
    st.subheader(_("Store"))
    store(pool, store_size(resources.settings().home))
    st.subheader(_("Warnings and errors of late"))
    errors(pool)


def _stopping() -> None:
    """Which run to stop."""
    pool = vitals().pool_health() if visitor().is_host else None
    if pool is not None:
        stop_a_run(pool)


def _for_the_host() -> None:
    """How one becomes the host."""
    words = _("Only the host of this server sees how it is doing.")
    if asks_for_host_key():
        way = _("To become the host, open the menu of your space in the header, choose “I am the host” and give the key.")
    else:
        way = _("A server gets a host by a key: set LAYERWISE_HOST_KEY where it is started.")
    st.info(f"{words} {way}", icon=":material/shield_person:")
