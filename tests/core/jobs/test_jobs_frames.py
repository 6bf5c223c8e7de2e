"""What a worker sends comes out whole, and never makes the supervisor wait."""

import multiprocessing
import os
import threading
from types import SimpleNamespace

import pytest

from core.jobs.pool.frames import FrameReader
from core.jobs.pool.local import LocalWorker


@pytest.fixture
def pipe():
    ours, theirs = multiprocessing.Pipe()
    yield ours, theirs
    ours.close()
    theirs.close()


def test_messages_of_all_lengths_come_out_whole_and_in_order(pipe):
    ours, theirs = pipe
    sent = [bytes([n % 256]) * length for n, length in enumerate([0, 1, 3, 16_384, 16_385, 65_532, 65_536, 300_000] * 3)]
    thread = threading.Thread(target=lambda: [theirs.send_bytes(one) for one in sent])
    thread.start()
    reader, got = FrameReader(ours), []
    while len(got) < len(sent):
        got += reader.messages(is_last=False)
    thread.join()
    assert got == sent
    theirs.close()
    assert reader.messages(is_last=True) == []
    assert not reader.is_open
    reader.close()


def test_a_message_in_single_bytes_and_one_of_the_long_form(pipe):
    ours, theirs = pipe
    reader = FrameReader(ours)
    data = b"\0\0\0\2ab" + b"\xff\xff\xff\xff" + (3).to_bytes(8, "big") + b"cde"
    got = []
    for byte in data:
        os.write(theirs.fileno(), bytes([byte]))
        got.append(reader.messages(is_last=False))
    assert [one for some in got for one in some] == [b"ab", b"cde"]
    assert got[5] == [b"ab"]
    reader.close()


def test_a_worker_that_froze_in_mid_message_keeps_nobody_waiting(pipe):
    ours, theirs = pipe
    process = SimpleNamespace(pid=1, is_alive=lambda: True, sentinel=0)
    worker = LocalWorker(process, ours, "training")
    os.write(theirs.fileno(), b"\0\0\0\5he")
    heard = []
    thread = threading.Thread(target=lambda: heard.append(worker.receive()), daemon=True)
    thread.start()
    thread.join(2.0)
    assert heard == [[]]
    os.write(theirs.fileno(), b"llo")
    assert worker.receive() == [b"hello"]
    worker._frames.close()
