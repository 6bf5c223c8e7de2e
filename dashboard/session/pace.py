"""How often pages look again by themselves: the more of them do, the more rarely, so that all looks together cost a bounded
part of the process that serves everybody."""

import time

from streamlit.runtime.scriptrunner import get_script_run_ctx

LOOKS_PER_S = 16.0
"""Of all pages together. One costs some 6 ms of processor time: a tenth of a core."""
FORGOTTEN_S = 10.0

_looked: dict[str, float] = {}
"""When each session was last known to look again."""


def every(seconds: float) -> float:
    """After how many seconds this page may look again that would like to after `seconds`. Ask with every run of the page."""
    present()
    return max(seconds, n_looking() / LOOKS_PER_S)


def present() -> None:
    """This page still looks."""
    context = get_script_run_ctx(suppress_warning=True)
    _looked[context.session_id if context else ""] = time.monotonic()


def n_looking() -> int:
    """How many pages look again at present."""
    since = time.monotonic() - FORGOTTEN_S
    for session, when in tuple(_looked.items()):
        if when < since:
            _looked.pop(session, None)
    return len(_looked)
