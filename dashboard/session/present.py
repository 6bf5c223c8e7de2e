"""Which visitors have a page open on this server, however long ago they last clicked.

A session of Streamlit is active as long as its WebSocket is connected, which a page that stands still keeps so
(`Runtime.is_active_session`, which any thread may call). Each run of a page notes whose session it is.
"""

import threading
import time
from collections.abc import Callable

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.session.visitor import visitor

FORGET_S = 3600.0
"""A session that was closed for so long does not come back: Streamlit keeps it for two minutes."""


class OpenPages:
    """Sessions and whose they are."""

    def __init__(self, is_open: Callable[[str], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._is_open = is_open
        self._clock = clock
        self._lock = threading.Lock()
        self._owners: dict[str, str] = {}
        self._seen: dict[str, float] = {}

    def note(self, session: str, owner: str) -> None:
        """A page of this session was just drawn for this visitor."""
        with self._lock:
            self._owners[session], self._seen[session] = owner, self._clock()

    def owners(self) -> frozenset[str]:
        """All visitors with an open page."""
        now = self._clock()
        with self._lock:
            opened = [session for session in self._owners if self._is_open(session)]
            self._seen.update(dict.fromkeys(opened, now))
            for session in [session for session, seen in self._seen.items() if now - seen > FORGET_S]:
                del self._owners[session], self._seen[session]
            return frozenset(self._owners[session] for session in opened)


def _is_open(session: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session)


PAGES = OpenPages(_is_open)


def note_page() -> None:
    """Call it in every run of a page."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None:
        PAGES.note(context.session_id, visitor().owner)
