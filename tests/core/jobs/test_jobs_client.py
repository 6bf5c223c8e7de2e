"""What a client says when nobody answers, and what a worker may see."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import PoolError, SpecError, StoreError
from core.events import Pause
from core.jobs import client as client_module
from core.jobs.client import Client
from core.jobs.pool.control import socket_path
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
