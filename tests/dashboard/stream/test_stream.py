import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.errors import StoreError
from core.events import Finished
from dashboard.session.follow import FollowerHub
from dashboard.stream import live_route
from tests.dashboard.fake_reader import ListReader, started, steps
from tests.dashboard.stream.test_frames import decoded

RUN = "run-00000001"


def client(reader: ListReader) -> TestClient:
    hub = FollowerHub(reader)
    return TestClient(Starlette(routes=[live_route(lambda: hub)]))


def heard(reader: ListReader, address: str, **headers: str) -> tuple[list[bytes], int]:
    """All messages, and the code of the close."""
    messages = []
    with client(reader).websocket_connect(address, headers=headers) as socket:
        try:
            while True:
                messages.append(socket.receive_bytes())
        except WebSocketDisconnect as closed:
            return messages, closed.code


def test_a_run_that_is_over_is_sent_and_closed_as_done() -> None:
    reader = ListReader(started(), steps(1, 2.0, 1.0), Finished("completed", 2, 1.0), state="finished")
    messages, code = heard(reader, f"/api/runs/{RUN}/live?since=0&generation=-1")
    parts = [part for message in messages for part in decoded(message)]
    assert [header["type"] for header, _ in parts] == ["hello", "steps", "reports", "status"]
    assert parts[1][1]["losses"].tolist() == [[2.0, 1.0]]
    assert code == 1000


@pytest.mark.fault(67)
@pytest.mark.parametrize("run", ["run-00000002", "x", "a" * 65, "run.0000001", "run 0000001", "r%C3%BCn-0000001"])
def test_an_unknown_or_malformed_run_is_accepted_and_then_closed_with_4404(run: str) -> None:
    assert heard(ListReader(), f"/api/runs/{run}/live") == ([], 4404)


@pytest.mark.parametrize("query", ["since=x", "since=1e9", "since=" + "9" * 40, "generation=", "since=-"])
def test_a_cursor_that_is_no_number_is_refused(query: str) -> None:
    assert heard(ListReader(started()), f"/api/runs/{RUN}/live?{query}") == ([], 4400)


def test_a_store_that_cannot_be_read_is_said() -> None:
    class Broken(ListReader):
        def run(self, run):
            raise StoreError("The disk is gone.")

    assert heard(Broken(), f"/api/runs/{RUN}/live") == ([], 4503)


@pytest.mark.fault(67)
def test_another_page_is_refused_before_it_is_accepted() -> None:
    with pytest.raises(WebSocketDisconnect) as refused:
        heard(ListReader(started()), f"/api/runs/{RUN}/live", origin="http://evil.example")
    assert refused.value.code == 1008


def test_our_own_page_is_welcome() -> None:
    reader = ListReader(started(), state="finished")
    messages, code = heard(reader, f"/api/runs/{RUN}/live", origin="http://testserver")
    assert messages
    assert code == 1000


@pytest.mark.parametrize("error", [KeyError("a bug"), RuntimeError("a bug")])
def test_after_a_bug_the_browser_is_told_to_come_again(error: Exception) -> None:
    class Buggy(ListReader):
        def run(self, run):
            raise error

    assert heard(Buggy(), f"/api/runs/{RUN}/live") == ([], 1011)


@pytest.mark.parametrize("state", ["finished", "stopped", "failed", "interrupted"])
def test_a_run_that_ended_in_any_way_is_closed_as_done(state: str) -> None:
    messages, code = heard(ListReader(started(), steps(1, 2.0), state=state), f"/api/runs/{RUN}/live")
    assert messages
    assert code == 1000
