"""How long a worker's events wait for company: longer where many share the processor, not where the run itself is slow."""

from types import SimpleNamespace

import pytest

from core.events import HyperChanged, Paused, Progressed
from core.jobs.messages import decode
from core.jobs.work import outbox
from core.jobs.work.outbox import CROWDED_FLUSH_S, FLUSH_S, Outbox, Share


@pytest.fixture
def machine(monkeypatch):
    """Clock, processor time, and how often this process was pushed aside."""
    now = SimpleNamespace(s=10.0, worked=0.0, n_pushed=0)
    monkeypatch.setattr(outbox.time, "monotonic", lambda: now.s)
    monkeypatch.setattr(outbox, "_taken", lambda: (now.worked, now.n_pushed))
    return now


@pytest.mark.parametrize(
    ("worked", "n_pushed", "flush_s"),
    [
        (1.9, 4, FLUSH_S),  # alone
        (0.9, 60, FLUSH_S),  # two on a core
        (0.08, 30, CROWDED_FLUSH_S),  # thirty on two cores
        (0.05, 1, FLUSH_S),  # slow motion: it waits of itself
    ],
)
def test_events_wait_longer_only_where_the_processor_is_crowded(machine, worked, n_pushed, flush_s):
    share = Share()
    machine.s, machine.worked, machine.n_pushed = machine.s + 2, worked, n_pushed
    assert share.flush_s() == flush_s


def test_a_crowd_that_has_gone_is_noticed(machine):
    share = Share()
    machine.s, machine.worked, machine.n_pushed = machine.s + 2, 0.1, 30
    assert share.flush_s() == CROWDED_FLUSH_S
    machine.s += 0.5
    assert share.flush_s() == CROWDED_FLUSH_S  # not measured again yet
    machine.s, machine.worked = machine.s + 1, 1.5
    assert share.flush_s() == FLUSH_S


class Pipe:
    """Keeps what is sent."""

    def __init__(self):
        self.sent = []

    def send_bytes(self, data):
        self.sent.append([name for _, name, _ in decode(data).rows])


def test_what_came_of_an_order_does_not_wait_for_company(monkeypatch):
    monkeypatch.setattr(Share, "flush_s", lambda share: 60.0)
    pipe = Pipe()
    box = Outbox(pipe, None)
    box.open("a" * 32, 0)
    box.put(Progressed(0, 9))
    assert pipe.sent == [["Progressed"]]  # nothing was sent for long
    box.put(Progressed(1, 9))
    assert pipe.sent == [["Progressed"]]
    box.put(HyperChanged(0, 3, "lr", 0.1, 0.2))
    box.put(Paused(3))
    assert pipe.sent == [["Progressed"], ["Progressed", "HyperChanged"], ["Paused"]]
