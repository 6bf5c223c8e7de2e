"""What the tests of pages share."""

import pytest

from core.settings import Settings
from dashboard.session import resources
from tests.dashboard.inline_client import InlineClient


@pytest.fixture
def client(home, monkeypatch):
    """A client and its store, whose jobs are done at once in this process."""
    fake = InlineClient(Settings.from_environment())
    monkeypatch.setattr(resources, "client", lambda: fake)
    monkeypatch.setattr(resources, "pool", lambda: fake)
    monkeypatch.setattr(resources, "reader", lambda: fake.store)
    monkeypatch.setattr(resources, "settings", Settings.from_environment)
    return fake
