"""Which runs of the table this visitor has chosen, for all panels of the Runs screen and for comparisons on others."""

from collections.abc import Iterable

import streamlit as st

CHOSEN = "runs.chosen"
MAX_CHOSEN = 1000


def chosen() -> tuple[str, ...]:
    """Ids of the chosen runs, in the order in which they were chosen."""
    return tuple(st.session_state.get(CHOSEN, ()))


def choose(runs: Iterable[str]) -> None:
    """These runs, and no others, are chosen."""
    st.session_state[CHOSEN] = tuple(dict.fromkeys(runs))[:MAX_CHOSEN]
