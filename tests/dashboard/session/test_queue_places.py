"""The place in the queue: asked once for all who look, and known without a time where nobody answers."""

import pytest

from core.jobs.queue_client import QueueClient, QueuePlace, rounded
from dashboard.session import queue_places
from dashboard.session.queue_places import QueuePlaces
from tests.dashboard.fake_reader import ListReader


def test_all_who_look_within_a_second_share_one_question(monkeypatch):
    now, asked = [100.0], []
    monkeypatch.setattr(queue_places.time, "monotonic", lambda: now[0])

    def ask():
        asked.append(now[0])
        return {"a": QueuePlace(1, 40.0, "full"), "b": QueuePlace(2)}

    places = QueuePlaces(ask, ListReader())
    assert [places.of(run).place for run in "abab"] == [1, 2, 1, 2]
    assert len(asked) == 1
    now[0] += 1.0
    assert places.of("a") == QueuePlace(1, 40.0, "full")
    assert len(asked) == 2


def test_without_a_supervisor_the_stores_order_is_told_without_a_time():
    assert QueuePlaces(lambda: None, ListReader(state="queued")).of("run") == QueuePlace(3)


def test_a_supervisor_that_is_not_there_is_no_error(tmp_path):
    client = QueueClient()
    client._home = tmp_path
    assert client.places() is None
    assert not client.say_present(["a" * 32])


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, None), (0.0, 0.0), (0.3, 1.0), (7.2, 8.0), (41.0, 45.0), (130.0, 130.0), (3601.0, 3900.0)]
)
def test_times_are_as_rough_as_they_are_known(seconds, said):
    assert rounded(seconds) == said
