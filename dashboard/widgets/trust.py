"""The trust line under an explanation: in words how far to trust it, and behind them the numbers of every test."""

from collections.abc import Mapping

import streamlit as st

from core.jobs.lenses import ExplainJob
from core.jobs.trust_lenses import TrustJob
from core.results.attribution import Attribution
from core.results.trust import Trust
from dashboard.figures.trust import alt_curves, trust_curves
from dashboard.text import _, duration
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.failure import plain
from dashboard.widgets.figure import figure, is_dark
from dashboard.widgets.lens import ask_together, look
from dashboard.widgets.trust_words import doubt_words, headline, number_lines, strengths

AUTOMATIC_S = 4.0
"""Tests that take longer are made when asked for: the explanations of a page share one worker with all visitors."""
ASKED, LOOK = "{key}.trust.asked", "{key}.trust.look"
ICONS = {"good": ":material/verified:", "mixed": ":material/help:", "random": ":material/do_not_disturb_on:"}


def ask_for_tests(explained: Mapping[str, tuple[ExplainJob, Attribution]]) -> None:
    """Ask at once for all tests that the trust lines with these keys are going to look at."""
    jobs = {key: TrustJob(explained=job) for key, (job, _found) in explained.items()}
    ask_together({LOOK.format(key=key): tests for key, tests in jobs.items() if _is_asked(tests, explained[key][1], key)})


def _is_asked(tests: TrustJob, found: Attribution, key: str) -> bool:
    return tests.seconds(found) <= AUTOMATIC_S or st.session_state.get(ASKED.format(key=key)) == tests.key()


def trust_line(job: ExplainJob, found: Attribution, *, key: str) -> None:
    """How far to trust this explanation. Call it after all explanations of a page are asked for: they go first.

    Quick tests are made by themselves, others at the press of a button.
    """
    tests = TrustJob(explained=job)

    def ask() -> None:
        st.session_state[ASKED.format(key=key)] = tests.key()

    with st.container(key=f"{key}.trust", gap="small"):
        if _is_asked(tests, found, key):
            look(tests, Trust, lambda trust: _shown(trust, key), key=LOOK.format(key=key))
            return
        seconds = tests.seconds(found)
        words = _("Tests it against random orders, seeds, random weights and other methods: about {time}.")
        st.button(
            _("How far to trust it?"),
            key=f"{key}.trust.ask",
            on_click=ask,
            icon=":material/fact_check:",
            help=words.format(time=duration(seconds)),
        )


def _shown(trust: Trust, key: str) -> None:
    """The verdict with its reasons, and the numbers on demand. The name of the inner box greys the picture (page.css)."""
    suffix = "untrusted" if trust.verdict == "random" else "judged"
    with st.container(key=f"{key}.{suffix}", gap="small"):
        st.markdown(f"{ICONS[trust.verdict]} **{headline(trust)}**")
        for sentence in (*doubt_words(trust), strengths(trust)):
            if sentence:
                st.caption(plain(sentence))
        box = st.popover(_("Numbers behind this"), key=f"{key}.trust.numbers", on_change="rerun", icon=":material/query_stats:")
        if box.open:
            with box:
                _numbers(trust, key)


def _numbers(trust: Trust, key: str) -> None:
    figure(trust_curves(trust, dark=is_dark()), key=f"{key}.trust.curves", alt=alt_curves(trust))
    with st.container(gap="xsmall"):
        for line in number_lines(trust):
            st.text(line)
    for note in trust.notes:
        st.caption(plain(note))
    download_arrays(trust, f"trust-{trust.method}.npz", key=f"{key}.trust.download")
