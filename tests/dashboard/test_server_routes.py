import asyncio
import gzip
import re
import threading
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.errors import PoolError
from dashboard import server
from dashboard.components import shared
from dashboard.server import routes
from dashboard.session import resources


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=routes(lambda: None)), base_url="http://localhost")


def test_health_is_json(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_plotly_comes_compressed_and_is_asked_for_once(client: TestClient) -> None:
    answer = client.get(shared.PLOTLY)
    assert answer.headers["content-encoding"] == "gzip"
    assert "plotly.js v" in answer.text[:400]
    assert len(gzip.compress(answer.content, 1)) < len(answer.content)
    assert client.get(shared.PLOTLY, headers={"if-none-match": answer.headers["etag"]}).status_code == 304


def test_every_script_and_what_it_imports_is_served(client: TestClient) -> None:
    for name, script in shared.scripts().items():
        answer = client.get(f"{shared.PREFIX}/{shared.version()}/{name}")
        assert answer.content == script
        assert "immutable" in answer.headers["cache-control"]
        for imported in re.findall(r'from "\./([\w.]+)"', script.decode()):
            assert imported in shared.scripts()


def test_a_script_of_another_version_is_not_kept(client: TestClient) -> None:
    name = next(iter(shared.scripts()))
    assert client.get(f"{shared.PREFIX}/old/{name}").headers["cache-control"] == "no-store"


@pytest.mark.fault(120)
@pytest.mark.parametrize("name", ["none.js", "..%2f__init__.py", "%2e%2e"])
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"{shared.PREFIX}/{shared.version()}/{name}").status_code == 404


def test_no_script_writes_markup() -> None:
    for name, script in shared.scripts().items():
        assert not re.search(rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script), name


def test_a_pool_that_cannot_be_started_is_tried_again_and_told_once(monkeypatch, caplog) -> None:
    monkeypatch.setattr(server, "ENSURE_S", 0.01)
    tries: list[str] = []

    def ensure() -> None:
        tries.append(threading.current_thread().name)
        if len(tries) < 4:
            raise PoolError("No room.")

    async def live() -> None:
        async with server.lifespan(ensure)(None):
            while len(tries) < 6:
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(live(), 20))
    assert [record.message for record in caplog.records] == ["No worker can be started yet: No room."]
    assert threading.main_thread().name not in tries


def test_the_pool_is_ensured_through_the_one_client_of_the_server(monkeypatch) -> None:
    asked = []
    pool = SimpleNamespace(ensure_supervisor=lambda: asked.append("ensured"), say_present=asked.append)
    monkeypatch.setattr(resources, "pool", lambda: pool)
    server.ensure_pool()
    assert asked == ["ensured", frozenset()]
