"""No click is lost: what a page sends is taken in whole before the next message of the same page is obeyed; and what a browser
asks for is answered.
"""

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import ScriptRunner
from streamlit.runtime.state import SafeSessionState

_is_taking_in = ContextVar("a message is taken in", default=False)
"""In the thread of one run of a page."""
ANSWERS = {"file_urls_response", "backend_operation_response"}
"""Kinds of messages for which a browser waits."""


@cache
def keep_every_click() -> None:
    """Mend a race of Streamlit (seen in 1.67) for the whole process; call it before the first page.

    A run of a page takes in what its message says of the widgets, calls their callbacks, and draws. At nearly every call of
    Streamlit's it looks whether a newer message waits, and goes on with that one: where it does so before the callbacks have
    run, or in the midst of one, the click is forgotten. On a busy server that is one of ten, since the curves tell the page of
    what happens too. Now it looks again once all callbacks have run. Together with `runner.fastReruns = false`: else a newer
    message starts a second thread on the same session beside the first (docs/decisions/023).

    And a run of a page that begins throws away what has not been sent yet; among it can be the address for a file, for which
    the uploader then waits for ever.
    """
    SafeSessionState.on_script_will_rerun = _whole(SafeSessionState.on_script_will_rerun)  # type: ignore[method-assign]
    look = ScriptRunner._maybe_handle_execution_control_request
    ScriptRunner._maybe_handle_execution_control_request = _unless_taking_in(look)  # type: ignore[method-assign]
    ForwardMsgQueue.clear = but_for_answers(ForwardMsgQueue.clear)  # type: ignore[method-assign]


def _whole(take_in: Callable[..., None]) -> Callable[..., None]:
    def whole(self: SafeSessionState, *args: Any, **kwargs: Any) -> None:
        token = _is_taking_in.set(True)
        try:
            take_in(self, *args, **kwargs)
        finally:
            _is_taking_in.reset(token)

    return whole


def _unless_taking_in(look: Callable[[ScriptRunner], None]) -> Callable[[ScriptRunner], None]:
    def unless_taking_in(self: ScriptRunner) -> None:
        if not _is_taking_in.get():
            look(self)

    return unless_taking_in


def but_for_answers(clear: Callable[..., None]) -> Callable[..., None]:
    """`clear` of a queue of messages to a browser, after which the answers to what it asked are still there."""

    def clear_the_rest(self: ForwardMsgQueue, *args: Any, **kwargs: Any) -> None:
        answers = [message for message in self._queue if message.WhichOneof("type") in ANSWERS]
        clear(self, *args, **kwargs)
        kept = {id(message) for message in self._queue}
        self._queue += [message for message in answers if id(message) not in kept]

    return clear_the_rest
