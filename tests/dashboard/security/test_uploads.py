"""The server's memory holds no more of sent files than it may, however many requests bring them."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.settings import Settings
from dashboard import uploads
from dashboard.uploads import MIB, UploadLimit, held_bytes

SETTINGS = Settings(upload_mb=1, uploads_mb=6)
ANSWERS = {True: 200, False: 413}


async def _taken(request):
    await request.body()
    return PlainTextResponse("taken")


def client(held):
    routes = [
        Route("/_stcore/upload_file/{session}/{file}", _taken, methods=["PUT", "DELETE"]),
        Route("/other", _taken, methods=["PUT"]),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(UploadLimit, settings=SETTINGS, held=lambda: held)]))


@pytest.mark.fault(37)
def test_the_files_of_all_pages_leave_memory_for_the_rest(monkeypatch):
    monkeypatch.setattr(uploads, "machine_memory", lambda: (80 * MIB, 40 * MIB))
    assert UploadLimit(None, Settings(upload_mb=1, uploads_mb=3000)).all_bytes == 20 * MIB


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("held", "n_bytes", "is_taken"),
    [
        ({}, MIB, True),
        ({}, 2 * MIB, False),
        ({"a": 3 * MIB}, MIB, True),
        ({"a": 4 * MIB}, MIB, False),  # one page
        ({"b": 4 * MIB}, MIB, True),
        ({"b": 3 * MIB, "c": 3 * MIB}, MIB, False),  # all pages
    ],
)
def test_a_file_is_taken_where_it_fits_beside_the_others(held, n_bytes, is_taken):
    answer = client(held).put("/_stcore/upload_file/a/1", content=bytes(n_bytes))
    assert answer.status_code == ANSWERS[is_taken]
    assert client(held).put("/other", content=bytes(n_bytes)).status_code == 200
    assert client(held).delete("/_stcore/upload_file/a/1").status_code == 200


@pytest.mark.fault(37)
@pytest.mark.parametrize("told", [b"", b"-5", b"9" * 400, "\u0663".encode(), b"1e9"])
def test_a_length_that_is_none_counts_as_the_largest_file(told):
    asked = []

    async def app(scope, receive, send):
        asked.append(dict(limit.arriving))

    limit = UploadLimit(app, SETTINGS, held=dict)
    scope = {"type": "http", "method": "PUT", "path": "/_stcore/upload_file/a/1", "headers": [(b"content-length", told)]}
    asyncio.run(limit(scope, None, None))
    assert asked == [{"a": limit.file_bytes}]
    assert not limit.arriving


@pytest.mark.fault(37)
def test_many_files_at_the_same_moment_count_before_they_have_arrived():
    async def all_at_once():
        arrived, begun, answers = asyncio.Event(), [], []

        async def app(scope, receive, send):
            begun.append(scope)
            await arrived.wait()

        async def send(message):
            answers.append(message.get("status"))

        limit = UploadLimit(app, SETTINGS, held=dict)
        scope = {
            "type": "http",
            "method": "PUT",
            "path": "/_stcore/upload_file/a/1",
            "headers": [(b"content-length", str(MIB).encode())],
        }
        sending = [asyncio.create_task(limit(scope, None, send)) for _ in range(9)]
        await asyncio.wait(sending[4:])
        arrived.set()
        await asyncio.gather(*sending)
        return len(begun), answers.count(413), dict(limit.arriving)

    assert asyncio.run(all_at_once()) == (4, 5, {})


def test_without_streamlit_nothing_is_held():
    assert held_bytes() == {}
