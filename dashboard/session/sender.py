"""Who sends a file: the visitor of the present session, with what the limits on files must know."""

from core.data.own.senders import Sender
from core.types import UNFINISHED
from dashboard.session import resources
from dashboard.session.visitor import visitor


def sender() -> Sender:
    """The visitor, what their runs hold, and what unfinished runs need."""
    owner, store = visitor().owner, resources.reader()
    return Sender(owner, store.usage(owner).n_bytes, lambda: "\n".join(one.job for one in store.in_states(UNFINISHED)))
