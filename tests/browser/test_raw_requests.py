"""The real server, asked by no browser: broken and oversized frames, uploads without a session, paths out of its folders."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from dashboard.security import HEADERS
from tests.browser import conftest

pytestmark = [pytest.mark.browser, pytest.mark.slow_fault]

MIB = 2**20


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """A server whose log may tell of what was broken."""
    folder, port = tmp_path_factory.mktemp("raw"), conftest.free_port()
    environment = {**os.environ, "LAYERWISE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "streamlit", "run", "dashboard/server.py", "--server.port", str(port)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(command, cwd=conftest.ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment)
    try:
        conftest._wait(process, f"http://127.0.0.1:{port}/healthz", folder / "server.log")
        yield f"127.0.0.1:{port}"
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        conftest._stop_supervisor(folder / "home")


def asked(address: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str):
    """Status and headers of the answer."""
    request = urllib.request.Request(f"http://{address}{path}", data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers, refused.read()


@pytest.mark.fault(121)
@pytest.mark.parametrize(
    "message",
    ["text", b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f", b"x" * (3 * MIB), b"x" * (51 * MIB)],
    ids=lambda m: str(len(m)),
)
def test_a_broken_or_large_frame_to_the_page_ends_that_connection_alone(address, message):
    options = {"subprotocols": ["streamlit"], "origin": f"http://{address}", "max_size": None}
    with connect(f"ws://{address}/_stcore/stream", **options) as other:
        try:
            with connect(f"ws://{address}/_stcore/stream", **options) as one:
                one.send(message)
                while True:
                    one.recv(timeout=20)
        except ConnectionClosed:
            pass
        other.ping().wait(20)
    assert asked(address, "/healthz")[0] == 200


@pytest.mark.fault(67)
@pytest.mark.fault(126)
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/media/none.png", 404),
        ("GET", "/nothing", 200),
        ("PUT", "/_stcore/upload_file/none/none", 403),
        ("DELETE", "/_stcore/upload_file/none/none", 403),
        ("GET", "/media/..%2f..%2fetc%2fpasswd", 400),
        ("GET", "/component/x/..%2f..%2fetc%2fpasswd", 400),
        ("GET", "//evil.example/", 400),
    ],
)
def test_every_answer_has_its_headers_and_no_path_leads_out(address, method, path, status):
    code, headers, body = asked(address, path, method, b"x" if method == "PUT" else None)
    assert code == status
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    assert b"root:" not in body


@pytest.mark.fault(37)
def test_a_file_above_the_limit_is_refused_before_it_has_arrived(address):
    code, headers, _ = asked(address, "/_stcore/upload_file/a/b", "PUT", b"x", **{"content-length": str(65 * MIB)})
    assert code == 413
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.fault(68)
def test_the_folder_of_the_server_is_private(address, tmp_path_factory):
    home = next(Path(tmp_path_factory.getbasetemp()).glob("raw*")) / "home"
    assert {path: oct(path.stat().st_mode) for path in [home, *home.rglob("*")] if path.stat().st_mode & 0o077} == {}
