"""With an access code nothing answers without it, and nobody guesses it."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.websockets import WebSocketDisconnect

from dashboard import secrets as secret_words
from dashboard.entrance.gate import ENTERED_COOKIE
from dashboard.entrance.places import safe_place
from dashboard.entrance.tries import BURST, BURST_OF_ALL, MAX_ADDRESSES, PAUSE_S, Tries
from dashboard.secrets import PASS_S, Secrets, proof
from dashboard.session import visitor
from dashboard.session.visitor import HOST_COOKIE, is_host_proof
from tests.dashboard.entrance.conftest import HTML, post

CODE, KEY = "plum-tree-7", "the host's own key"
CLOSED = Secrets(access_code=CODE)


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def has_live(client) -> bool:
    try:
        with client.websocket_connect("ws://localhost:8501/api/runs/abcdefgh/live"):
            return True
    except WebSocketDisconnect:
        return False


def test_without_the_code_nothing_answers_but_the_question_for_it_and_whether_the_server_lives(serve) -> None:
    client = serve(CLOSED)
    answer = client.get("/inspect?run=abc", headers=HTML)
    assert answer.status_code == 401
    assert "Access code" in answer.text
    assert "<p>page" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert not answer.headers.get_list("set-cookie")
    assert [client.request(method, "/app/scripts/one.js").status_code for method in ("GET", "HEAD", "POST")] == [401] * 3
    for path in ("/space", "/host", "/_stcore/health", "/enter/", "/healthz/..", "//enter", "/api/runs/abcdefgh/live"):
        assert client.get(path).status_code == 401, path
    assert not has_live(client)
    assert client.get("/healthz").status_code == 200


def test_with_the_code_everything_does_and_one_gets_where_one_wanted(serve) -> None:
    client = serve(CLOSED)
    asked = client.get("/race?x=lw1.ab_c&run=abc&room=r1", headers=HTML)
    wanted = re.search(r'name="next" value="([^"]+)"', asked.text).group(1).replace("&amp;", "&")
    answer = post(client, "/enter", code=f" {CODE} ", next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/race?x=lw1.ab_c&run=abc&room=r1")
    cookie = answer.headers["set-cookie"]
    assert CODE not in cookie
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={PASS_S:.0f}"} <= set(cookie.split("; "))
    assert client.get("/race", headers=HTML).status_code == 200
    assert client.get("/enter?next=/runs").headers["location"] == "/runs"
    assert has_live(client)


def test_the_page_needs_no_script_and_escapes_what_it_quotes(serve) -> None:
    text = serve(CLOSED).get("/?x=1&y=%22%3E%3Cb%3E\"'", headers=HTML).text
    assert "<script" not in text
    assert "<b>" not in text
    assert re.search(r'<label for="enter-code">Access code</label><input type="text" id="enter-code"', text)
    assert '<html lang="en">' in text
    assert "prefers-color-scheme: dark" in text


@pytest.mark.fault(70)
def test_wrong_codes_by_the_hundred_are_refused_unheard_even_the_right_one_until_time_has_passed(serve) -> None:
    clock = Clock()
    tries = Tries(clock)
    client = serve(CLOSED, tries=tries)
    codes = [post(client, "/enter", code=f"guess {n}").status_code for n in range(100)]
    assert codes == [403] * BURST + [429] * (100 - BURST)
    blocked = post(client, "/enter", code=CODE)
    assert blocked.status_code == 429
    assert "Too many wrong tries. Wait 6 seconds" in blocked.text
    assert int(blocked.headers["retry-after"]) >= 5
    assert not blocked.headers.get_list("set-cookie")
    assert (
        post(serve(CLOSED, tries=tries, address="10.0.0.2"), "/enter", code=CODE).status_code == 303
    )  # another one is not held up
    clock.now += PAUSE_S
    assert post(client, "/enter", code=CODE).status_code == 303


@pytest.mark.fault(70)
def test_who_has_a_thousand_addresses_guesses_no_faster_and_takes_no_memory() -> None:
    clock, n = Clock(), 0
    tries = Tries(clock)
    for address in range(20_000):
        if tries.wait_s(f"10.{address >> 8}.{address & 255}.1") == 0:
            tries.count(f"10.{address >> 8}.{address & 255}.1")
            n += 1
    assert n == BURST_OF_ALL
    for network in range(10_000):
        tries.count(f"2001:db8:{network:x}::1")
    assert len(tries) <= MAX_ADDRESSES
    clock.now += 1e6
    assert tries.wait_s("10.0.0.1") == 0


def test_all_addresses_of_one_network_of_the_newer_kind_are_one() -> None:
    tries = Tries(Clock())
    for k in range(BURST):
        tries.count(f"2001:db8::{k:x}")
    assert tries.wait_s("2001:db8::ffff") > 0
    assert tries.wait_s("2001:db8:0:1::1") == 0
    for _try in range(BURST):
        tries.count("::ffff:10.1.2.3")
    assert tries.wait_s("10.1.2.3") > 0
    tries.count("what is no address" * 100)


def test_who_gives_the_right_code_is_not_counted(serve) -> None:
    tries = Tries(Clock())
    for _try in range(3 * BURST):
        assert post(serve(CLOSED, tries=tries), "/enter", code=CODE).status_code == 303
    assert len(tries) == 0


@pytest.mark.fault(71)
def test_a_forged_or_expired_proof_or_one_of_an_older_code_opens_nothing(serve, monkeypatch) -> None:
    good = proof("access", CODE, 60)
    ends, _dot, signature = good.partition(".")
    forged = [
        f"{int(ends) + 1}.{signature}",
        f"{ends}.{'0' * 64}",
        f"{ends}.",
        signature,
        "",
        ".",
        f"-{ends}.{signature}",
        f"１.{signature}",
        f"{'9' * 5000}.{signature}",
        proof("access", "an older code", 60),
        proof("host", CODE, 60),
        proof("access", CODE, -1),
    ]
    for cookie in forged:
        client = serve(CLOSED)
        headers = {**HTML, "cookie": f"{ENTERED_COOKIE}={cookie}".encode()}
        assert client.get("/", headers=headers).status_code == 401, cookie
    assert serve(CLOSED).get("/", headers={**HTML, "cookie": f"{ENTERED_COOKIE}={good}"}).status_code == 200
    monkeypatch.setattr(secret_words.time, "time", lambda: int(ends) + 1.0)
    assert serve(CLOSED).get("/", headers={**HTML, "cookie": f"{ENTERED_COOKIE}={good}"}).status_code == 401


@pytest.mark.fault(71)
def test_a_proof_cannot_be_made_from_the_code_alone_and_outlives_the_process(home) -> None:
    good = proof("access", CODE, 60)
    file = home / secret_words.KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    secret_words._signing_key.cache_clear()  # another process of the same folder
    assert secret_words.is_proof(good, "access", CODE)
    file.unlink()
    secret_words._signing_key.cache_clear()  # another server with the same code
    assert not secret_words.is_proof(good, "access", CODE)


def test_where_the_key_cannot_be_kept_proofs_hold_for_this_process(home, caplog) -> None:
    home.parent.mkdir(exist_ok=True)
    home.write_text("a file where the folder should be")
    assert secret_words.is_proof(proof("access", CODE, 60), "access", CODE)
    assert "will not outlive this process" in caplog.text


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    "place",
    [
        "//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil",
        "", "/%5cevil.example", "/%2f/evil.example", "/a\nlocation: x", "/a\r\nset-cookie: a=b", "/ \t//evil", "/é",
        "/" + "x" * 30_000, "/enter", "/host?next=/", "/space", "http:///evil.example", "/\u2028", "///evil.example",
    ],
)  # fmt: skip
def test_the_way_back_leads_to_this_site_alone(serve, place: str) -> None:
    assert safe_place(place) == "/"
    answer = post(serve(CLOSED), "/enter", code=CODE, next=place)
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("place", ["/", "/train?x=lw1.a_-b&run=1f&hide=undo,run.speed", "/host-page", "/race?room=%20a"])
def test_a_path_of_ours_stays_with_its_query(place: str) -> None:
    assert safe_place(place) == place


def test_the_hosts_key_makes_a_host_until_it_is_left(serve) -> None:
    client = serve(Secrets(host_key=KEY))
    assert "Become host" in client.get("/host", headers=HTML).text
    assert post(client, "/host", what="become", key="wrong").status_code == 403
    answer = post(client, "/host", what="become", key=KEY, next="/runs")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs")
    cookie = next(text for text in answer.headers.get_list("set-cookie") if text.startswith(HOST_COOKIE))
    assert KEY not in cookie
    assert is_host_proof(client.cookies[HOST_COOKIE])
    assert "Leave host" in client.get("/host", headers=HTML).text
    post(client, "/host", what="leave")
    assert HOST_COOKIE not in client.cookies


def test_without_a_key_nobody_becomes_host(serve) -> None:
    client = serve()
    assert post(client, "/host", what="become", key="").status_code == 403
    assert not is_host_proof(visitor.host_proof())


def test_hundred_at_once_are_counted_right(serve) -> None:
    client = serve(CLOSED, tries=Tries(Clock()))
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda n: post(client, "/enter", code=str(n)).status_code, range(60)))
    assert codes.count(403) == BURST
