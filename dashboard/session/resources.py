"""One client and one store reader per server.

Module singletons, not `st.cache_resource`: any visitor can clear those for everybody with one message.
"""

from functools import cache

from core.jobs.client import Client
from core.settings import Settings
from core.store.protocol import RunReader


@cache
def settings() -> Settings:
    """The server's settings."""
    return Settings.from_environment()


@cache
def client() -> Client:
    """The way to the supervisor."""
    return Client(settings().home, settings())


def reader() -> RunReader:
    """Read access to all runs."""
    return client().store
