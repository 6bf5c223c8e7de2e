"""Who asks from elsewhere, says what nobody says, reads nothing, or guesses: refused, bounded, and no harm to the others."""

import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from core.events import Finished
from core.jobs.client import Client
from core.jobs.pool.control import MAX_LINE_BYTES, Control, ask, socket_path
from core.jobs.training import TrainJob
from core.settings import Settings
from dashboard import server
from dashboard.session.follow import FollowerHub
from dashboard.stream import live_route
from tests.core.samples import spiral
from tests.dashboard.fake_reader import ListReader, started, steps
from tests.faults.hostile import MIB

RUN = "run-00000001"
OURS = "http://localhost"
FOREIGN = ("http://evil.example", "https://localhost.evil.example", "null", "http://localhost:1", "file://", "")


def guarded() -> TestClient:
    """All our own routes behind the guards of the server, over a store with one run."""
    hub = FollowerHub(ListReader(started(), Finished("completed", 0, 1.0), state="finished"))
    routes = server.routes(lambda: hub)
    return TestClient(Starlette(routes=routes, middleware=server.middleware(Settings())), base_url=OURS)


def own_routes() -> list[Route | WebSocketRoute]:
    """All that our server serves besides the pages of Streamlit, which keeps them under this name."""
    return server.app._user_routes


def addresses() -> list[tuple[str, str]]:
    """Every own address with something in its gaps, and whether it is a socket."""
    kinds = {Route: "page", WebSocketRoute: "socket"}
    return [(kinds[type(route)], re.sub(r"\{[^}]+\}", RUN, route.path)) for route in own_routes()]


def test_the_addresses_are_all_of_the_server():
    known = {path: kind for kind, path in addresses()}
    assert known[f"/api/runs/{RUN}/live"] == known[f"/api/rooms/{RUN}/live"] == known[f"/api/rooms/{RUN}/board"] == "socket"
    assert known["/healthz"] == known["/enter"] == known["/host"] == "page"


@pytest.mark.fault(120)
@pytest.mark.parametrize(("kind", "path"), addresses())
def test_another_page_gets_nothing_from_any_own_address(kind, path):
    client = TestClient(Starlette(routes=own_routes(), middleware=server.middleware(Settings())), base_url=OURS)
    for headers in [
        *({"origin": origin} for origin in FOREIGN),
        {"host": "evil.example"},
        {"host": "evil.example", "origin": "http://evil.example"},
    ]:
        if kind == "socket":
            with (
                pytest.raises(WebSocketDisconnect) as refused,
                client.websocket_connect(f"ws://localhost{path}", headers=headers),
            ):
                pass
            assert refused.value.code == 1008
            continue
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = client.request(method, path, headers=headers, content=b"code=x", follow_redirects=False)
            assert answer.status_code in (400, 403)
            assert "set-cookie" not in answer.headers
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.fault(120)
@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc/passwd",
        "/layerwise/x/..%2f..%2fserver.py",
        "//evil.example/x",
        "/%00",
        "/api/runs/..%2f..%2fx/live",
        "/" + "a" * 20_000,
    ],
)
def test_paths_lead_to_no_file(path):
    answer = guarded().get(path, follow_redirects=False)
    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text


@contextmanager
def serving(reader: ListReader) -> Iterator[int]:
    """The port of a server with the live stream alone."""
    hub = FollowerHub(reader)
    config = uvicorn.Config(
        Starlette(routes=[live_route(lambda: hub)]), port=0, log_level="critical", ws="websockets-sansio", ws_max_size=MIB
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.should_exit = running.force_exit = True
        thread.join()


def curve(port: int) -> tuple[int, int | None]:
    """Bytes that a viewer gets, and the code of the end."""
    n = 0
    with connect(f"ws://127.0.0.1:{port}/api/runs/{RUN}/live", max_size=None) as viewer:
        try:
            while True:
                n += len(viewer.recv(timeout=20))
        except ConnectionClosed as closed:
            return n, closed.rcvd.code if closed.rcvd else None


LONG = (started(), *(steps(1 + 1000 * i, *[0.5] * 1000) for i in range(200)), Finished("completed", 200_000, 1.0))


@pytest.mark.fault(122)
def test_viewers_that_read_nothing_keep_nobody_waiting():
    with serving(ListReader(*LONG, state="finished")) as port:
        n, code = curve(port)
        deaf = []
        for _ in range(24):
            one = socket.create_connection(("127.0.0.1", port))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(
                f"GET /api/runs/{RUN}/live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            deaf.append(one)
        begun = time.monotonic()
        assert curve(port) == (n, code) == (n, 1000)
        assert n > 800_000
        assert time.monotonic() - begun < 10
        for one in deaf:
            one.close()


def end_of(viewer) -> int:
    """The code with which the server ends a connection."""
    try:
        while True:
            viewer.recv(timeout=20)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@pytest.mark.fault(121)
def test_frames_that_no_viewer_sends_end_one_connection_and_no_other():
    with serving(ListReader(started(), steps(1, 0.5), state="running")) as port:
        address = f"ws://127.0.0.1:{port}/api/runs/{RUN}/live"
        ends = Counter()
        for message in ("hello", b"\0" * 1000, "x" * (MIB + 1), b"\xff" * (3 * MIB)):
            with connect(address, max_size=None) as viewer:
                viewer.send(message)
                ends[end_of(viewer)] += 1
        assert set(ends) <= {1008, 1009, 1006}
        for garbage in (
            b"\x83\x7f" + b"\xff" * 8,
            b"\xc1\x80\0\0\0\0",
            b"\x81\x82\0\0\0\0\xff\xfe",
            b"GET / HTTP/1.1\r\n\r\n",
        ):
            with connect(address, max_size=None) as viewer:
                viewer.socket.sendall(garbage)
                assert end_of(viewer) is not None
        with connect(address, max_size=None) as viewer:
            assert viewer.recv(timeout=20)


@pytest.mark.fault(124)
def test_an_id_has_128_random_bits_and_the_next_one_cannot_be_told(tmp_path, monkeypatch):
    asked = []

    def answer(self, request):
        asked.append(request["run"])
        return {"run": request["run"]}

    monkeypatch.setattr(Client, "_ask", answer)
    client = Client(tmp_path, Settings(home=tmp_path))
    for _ in range(300):
        client.submit(TrainJob(experiment=spiral()))
    assert all(re.fullmatch("[0-9a-f]{32}", run) for run in asked)
    ones = [sum(int(run, 16) >> bit & 1 for run in asked) for bit in range(128)]
    assert all(90 < n < 210 for n in ones)  # seven standard deviations: each bit is a coin
    assert len({run[:8] for run in asked}) == 300


@pytest.mark.fault(67)
@pytest.mark.fault(124)
@pytest.mark.parametrize("run", ["0" * 32, "-1", str(2**63), "1", "a" * 64, "%2e%2e", "*", "'; DROP TABLE runs; --"])
def test_a_guessed_run_is_no_run(run):
    with (
        guarded().websocket_connect(f"ws://localhost/api/runs/{run}/live", headers={"origin": OURS}) as viewer,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        viewer.receive_bytes()
    assert closed.value.code == 4404


@contextmanager
def listening(home) -> Iterator[None]:
    """A supervisor's ear that answers every request by its own words."""
    control, ended = Control(home), threading.Event()

    def listen() -> None:
        while not ended.is_set():
            for request in control.requests():
                control.answer(request, {"said": request.fields})
            time.sleep(0.005)

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        control.close()


@pytest.mark.fault(128)
@pytest.mark.parametrize(
    "said",
    [
        b"x" * (MAX_LINE_BYTES + 70_000),
        b"[" * 60_000 + b"\n",
        b"null\n",
        b"[]\n",
        b"\xff\xfe\n",
        b"{\n",
        b"",
        b"\n" * 100,
        b'{"ask": "' + b"a" * 1000 + b'"}',
    ],
    ids=["endless", "nested", "null", "list", "no text", "broken", "nothing", "empty lines", "no end"],
)
def test_what_is_no_request_is_dropped_and_the_next_is_answered(tmp_path, said):
    with listening(tmp_path):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
            stranger.connect(str(socket_path(tmp_path)))
            try:
                stranger.sendall(said)
                stranger.shutdown(socket.SHUT_WR)
                stranger.settimeout(5)
                assert stranger.recv(1000) in (b"", b'{"said": {}}\n')
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert ask(tmp_path, {"ask": "status"}, timeout_s=5) == {"said": {"ask": "status"}}


@pytest.mark.fault(128)
def test_hundreds_of_connections_that_say_nothing_leave_room_for_one_that_does(tmp_path, monkeypatch):
    monkeypatch.setattr("core.jobs.pool.control.PATIENCE_S", 0.2)
    with listening(tmp_path):
        silent = []
        for _ in range(150):
            one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            one.setblocking(False)
            try:
                one.connect(str(socket_path(tmp_path)))
            except BlockingIOError:
                one.close()
                continue
            silent.append(one)
        assert len(silent) > 60
        assert json.dumps(ask(tmp_path, {"ask": "status"}, timeout_s=20)) == '{"said": {"ask": "status"}}'
        for one in silent:
            one.close()
