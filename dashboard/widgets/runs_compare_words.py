"""Tests of two models, in sentences and as a table."""

from collections.abc import Sequence

import streamlit as st

from core.experiment.comparison_words import Compared, method_sentences, verdict_sentences
from dashboard.text import _
from dashboard.widgets.failure import plain
from dashboard.widgets.table_file import download_table
from dashboard.widgets.verdict import said

FEWEST_PAIRS = 2


def tests_in_words(tests: Sequence[Compared], n_tests: int, *, key: str) -> None:
    """What each test says; which test it was and what it assumes, once where it is the same for all."""
    methods: list[str] = []
    with st.container(border=True, key=f"{key}.box"):
        for one in tests:
            first, *rest = [said(sentence) for sentence in verdict_sentences(one, n_tests)]
            st.markdown(f"**{plain(first)}**")
            for text in rest:
                st.text(text)
            if one.difference.n < FEWEST_PAIRS:
                st.text(_("What diverged, or has no such figure yet, makes no pair."))
                continue  # no test was made: how it would be is no help
            methods += [text for text in map(said, method_sentences(one, n_tests)) if text not in methods]
        for text in methods:
            st.caption(plain(text))
        download_table(table(tests), "comparison.csv", key=f"{key}.csv")


def table(tests: Sequence[Compared]) -> dict[str, list[object]]:
    """The numbers behind the words: first minus second."""
    return {
        "first": [one.a for one in tests],
        "second": [one.b for one in tests],
        "figure": [one.figure.what for one in tests],
        "test": [_test(one) for one in tests],
        "pairs": [one.difference.n for one in tests],
        "difference": [one.difference.mean for one in tests],
        "low": [one.difference.low for one in tests],
        "high": [one.difference.high for one in tests],
        "p": [one.p for one in tests],
        "p_corrected": [one.p_corrected for one in tests],
    }


def _test(one: Compared) -> str:
    names = {"seeds": _("paired t"), "folds": _("corrected resampled t"), "examples": _("McNemar"), "errors": _("paired t")}
    return names[one.test]
