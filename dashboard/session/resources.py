"""One client and one store reader per server.

Module singletons, not `st.cache_resource`: any visitor can clear those for everybody with one message.
"""

from functools import cache

from core.jobs.client import Client
from core.settings import Settings
from core.store.protocol import RunReader
from dashboard.session.address import kept
from dashboard.session.queue_places import QueuePlaces
from dashboard.session.visitor import visitor


@cache
def settings() -> Settings:
    """The server's settings."""
    return Settings.from_environment()


@cache
def pool() -> Client:
    """The way to the supervisor, with the rights of the server itself."""
    return Client(settings().home, settings())


@cache
def places() -> QueuePlaces:
    """The places in the queue, for all who look."""
    return QueuePlaces(pool().places, reader())


def client() -> Client:
    """The way to the supervisor, for the visitor whose page this is."""
    present = visitor()
    return pool().of(present.owner, is_host=present.may_change_all, room=kept("room"))


def reader() -> RunReader:
    """Read access to all runs."""
    return pool().store
