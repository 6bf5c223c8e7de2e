import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.settings import Settings
from dashboard.security import HEADERS, host_name
from dashboard.server import middleware


async def page(request):
    return PlainTextResponse("page")


async def echo(socket):
    await socket.accept()
    await socket.close()


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = Starlette(
        routes=[Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/ws", echo)], middleware=middleware(Settings())
    )
    return TestClient(app, base_url="http://localhost:8501")


def test_our_own_page_gets_an_answer_with_all_security_headers(client: TestClient) -> None:
    answer = client.get("/", headers={"origin": "http://localhost:8501"})
    assert answer.status_code == 200
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.fault(67)
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost:9999", "null", "http://localhost:8501.evil.example", "http://[x", "", "http://"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_page_is_refused(client: TestClient, origin: str, method: str) -> None:
    answer = client.request(method, "/", headers={"origin": origin})
    assert answer.status_code == 403
    assert "content-security-policy" in answer.headers


@pytest.mark.fault(67)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example", ""])
def test_a_foreign_host_name_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(("address", "is_sent"), [("http://10.1.2.3", False), ("https://10.1.2.3", True)])
def test_the_opener_policy_is_sent_where_browsers_take_it(address: str, is_sent: bool) -> None:
    app = Starlette(routes=[Route("/", page)], middleware=middleware(Settings(allowed_hosts="10.1.2.3")))
    answer = TestClient(app, base_url=address).get("/")
    assert answer.status_code == 200
    assert ("cross-origin-opener-policy" in answer.headers) == is_sent


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/"])
def test_what_streamlit_would_tell_of_the_server_is_closed(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.get(path).text == "There is nothing here."


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:8501", "[::1]:8501", "[::1]"])
def test_every_local_name_is_allowed_on_any_port(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.fault(67)
@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"host": "evil.example"}])
def test_a_foreign_socket_is_refused_before_it_is_accepted(client: TestClient, headers: dict) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers=headers):
        pass


def test_allowed_hosts_come_from_the_settings() -> None:
    app = Starlette(routes=[Route("/", page)], middleware=middleware(Settings(allowed_hosts="lab.example, other.example")))
    client = TestClient(app)
    assert client.get("/", headers={"host": "lab.example:443"}).status_code == 200
    assert client.get("/", headers={"host": "localhost"}).status_code == 400


def test_a_host_name_is_what_stands_before_the_port() -> None:
    assert [host_name(host) for host in ("A.b:80", "a", "[::1]:80", None)] == ["a.b", "a", "[::1]", ""]


def test_scripts_may_open_sockets_to_our_own_host_only() -> None:
    (allowed,) = [part.split()[1:] for part in HEADERS["content-security-policy"].split("; ") if part.startswith("connect-src")]
    assert set(allowed) == {"'self'", "data:", "blob:"}
