"""What a client says when nobody answers, and what a worker may see."""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from core.errors import PoolError, SpecError, StoreError
from core.events import Pause
from core.jobs import client as client_module
from core.jobs.client import Client
from core.jobs.pool.control import (
    MAX_LINE_BYTES,
    MAX_SKIPPED_BYTES,
    PATIENCE_S,
    Answer,
    Control,
    refusal,
    socket_path,
    too_large,
)
from core.jobs.work.limits import THREADS, worker_environment
from core.settings import Settings
from tests.core.jobs.demo_jobs import Count


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.setattr(client_module, "START_S", 0.5)
    monkeypatch.setattr(client_module, "ANSWER_S", 0.3)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    client = Client(tmp_path / "home", Settings(home=tmp_path / "home"))
    yield client
    client.shutdown()
    client.store.close()


@contextmanager
def somebody_else(path: Path, answer: bytes | None) -> Iterator[None]:
    """Somebody on the supervisor's socket who answers once with this, or never."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer or b"")

        thread = threading.Thread(target=serve)
        if answer is not None:
            thread.start()
        yield
        if answer is not None:
            thread.join()
    path.unlink()


class Long(Count):
    """Asks as much as it has to say."""

    said: str = ""


@contextmanager
def supervisor(home: Path) -> Iterator[list[Answer]]:
    """A supervisor that takes every job, and what it was asked."""
    home.mkdir(parents=True, exist_ok=True)
    control, ended, asked = Control(home), threading.Event(), []

    def listen() -> None:
        while not ended.wait(0.002):
            for request in control.requests():
                asked.append(request.fields)
                answers = [{"run": json.loads(one["job"])["seed"]} for one in request.fields.get("jobs", ())]
                control.answer(request, {"answers": answers})

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield asked
    finally:
        ended.set()
        thread.join()
        control.close()


@contextmanager
def stranger(home: Path) -> Iterator[tuple[socket.socket, float]]:
    """A connection of a client of another make, and when it began."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        connection.connect(str(socket_path(home)))
        yield connection, time.monotonic()


def test_a_supervisor_that_cannot_start_is_told_with_the_place_of_its_log(client):
    with pytest.raises(PoolError, match="No supervisor could be started") as raised:
        client.submit(Count())
    assert "supervisor.log" in raised.value.hint


def test_a_pool_that_is_not_there_is_cold_and_is_asked_without_waiting(client):
    status = client.status()
    assert (status.is_warm, status.is_lens_warm, status.running, status.queued) == (False, False, 0, 0)


def test_a_supervisor_that_does_not_answer_is_told(client, tmp_path):
    with somebody_else(socket_path(tmp_path / "home"), None), pytest.raises(PoolError, match="did not answer within"):
        client.command("0" * 32, Pause())


def test_an_error_arrives_as_the_error_that_it_is(client, tmp_path):
    answer = b'{"error": {"kind": "SpecError", "message": "No.", "hint": "Ask another."}}\n'
    with somebody_else(socket_path(tmp_path / "home"), answer), pytest.raises(SpecError, match="No") as raised:
        client.command("0" * 32, Pause())
    assert raised.value.hint == "Ask another."


def test_an_artifact_that_is_not_there_is_told(client):
    with pytest.raises(StoreError, match="has no artifact"):
        client.artifact_bytes("0" * 32, "answer")


@pytest.mark.parametrize("name", ["API_TOKEN", "github_token", "DB_PASSWORD", "AWS_SECRET_ACCESS", "OPENAI_API_KEY"])
def test_variables_named_like_secrets_are_left_out(name):
    assert name not in worker_environment({name: "canary"})


def test_other_variables_stay_and_threads_are_one():
    environment = worker_environment({"PATH": "/bin", "OMP_NUM_THREADS": "8", "LAYERWISE_HOME": "/x"})
    assert (environment["PATH"], environment["LAYERWISE_HOME"]) == ("/bin", "/x")
    assert {environment[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} == {"1"}


def test_the_list_of_thread_counts_holds_thread_counts_and_shap_does_not_compile():
    assert all(name.endswith("_NUM_THREADS") for name in THREADS)
    assert worker_environment({})["NUMBA_DISABLE_JIT"] == "1"


def test_jobs_that_are_too_large_for_one_request_go_with_several_and_are_answered_in_order(client, tmp_path):
    jobs = [Long(seed=seed, said='"' * 10_000) for seed in range(32)]  # 40 KB each on the line, by its escapes
    with supervisor(tmp_path / "home") as asked:
        assert client.of("a" * 32).submit_all(jobs) == list(range(32))
    assert len(asked) > 4
    assert {request["by"] for request in asked} == {"a" * 32}
    assert all(len(json.dumps(request)) < 0.6 * MAX_LINE_BYTES for request in asked)


def test_small_jobs_go_with_one_request(client, tmp_path):
    with supervisor(tmp_path / "home") as asked:
        assert client.submit_all([Count(seed=seed) for seed in range(32)]) == list(range(32))
    assert len(asked) == 1


def test_a_job_that_is_too_large_by_itself_is_refused_in_its_place(client, tmp_path):
    jobs = [Count(seed=0), Long(seed=1, said="x" * MAX_LINE_BYTES), Count(seed=2)]
    with supervisor(tmp_path / "home"):
        first, refused, last = client.submit_all(jobs)
    assert (first, last) == (0, 2)
    assert isinstance(refused, SpecError)
    assert "too large: at most 256 KB" in refused.message


def test_a_request_that_is_too_large_is_refused_at_once_and_starts_no_supervisor(client, monkeypatch):
    monkeypatch.setattr(client._starter, "start", lambda: pytest.fail("a supervisor was started"))
    with pytest.raises(SpecError, match="too large") as raised:
        client.submit(Long(said="x" * MAX_LINE_BYTES))
    assert "Ask for less" in raised.value.hint


def test_the_supervisors_word_that_a_request_is_too_large_is_believed_the_first_time(client, tmp_path, monkeypatch):
    monkeypatch.setattr(client._starter, "start", lambda: pytest.fail("a supervisor was started"))
    answer = json.dumps(refusal(too_large())).encode() + b"\n"
    with somebody_else(socket_path(tmp_path / "home"), answer), pytest.raises(SpecError, match="too large"):
        client.command("0" * 32, Pause())


@pytest.mark.parametrize("size", [MAX_LINE_BYTES, 3 * MAX_LINE_BYTES], ids=["by a byte", "by far"])
def test_a_line_that_is_too_long_is_answered_in_words_and_quickly(tmp_path, size):
    with supervisor(tmp_path), stranger(tmp_path) as (connection, began):
        connection.sendall(b"x" * size + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
    assert answer["error"]["kind"] == "SpecError"
    assert "too large" in answer["error"]["message"]
    assert time.monotonic() - began < PATIENCE_S / 2


def test_a_line_without_an_end_is_neither_kept_nor_read_for_ever(tmp_path):
    control = Control(tmp_path)
    with stranger(tmp_path) as (connection, _):
        connection.setblocking(False)
        n_sent = n_kept = 0
        with suppress(BrokenPipeError, ConnectionResetError):
            while n_sent < 2 * MAX_SKIPPED_BYTES:
                with suppress(BlockingIOError):
                    n_sent += connection.send(b"x" * 65536)
                assert control.requests() == []
                n_kept = max([n_kept, *(len(one.buffer) for one in control._pending.values())])
        assert n_sent < MAX_SKIPPED_BYTES + 2 * MAX_LINE_BYTES
        assert 0 < n_kept <= MAX_LINE_BYTES
        assert b"too large" in connection.recv(4096)
        assert control._pending == {}
    control.close()
