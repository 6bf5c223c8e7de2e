"""Each browser gets a space of its own, by a cookie that nobody can guess, read by a script or use from another site."""

from http.cookies import SimpleCookie

import pytest

from dashboard.session.visitor import TOKEN_COOKIE, is_token, new_token, space_of, space_of_login
from tests.dashboard.entrance.conftest import HTML, post


def given(answer) -> SimpleCookie:
    return SimpleCookie("; ".join(answer.headers.get_list("set-cookie")))


def test_the_first_page_brings_a_token_with_all_attributes_and_is_kept_by_nobody(serve) -> None:
    answer = serve().get("/", headers=HTML)
    morsel = given(answer)[TOKEN_COOKIE]
    assert is_token(morsel.value)
    assert (morsel["path"], morsel["samesite"], morsel["httponly"], morsel["secure"]) == ("/", "Lax", True, "")
    assert int(morsel["max-age"]) > 300 * 86_400
    assert answer.headers["cache-control"] == "no-store"


def test_two_browsers_get_two_spaces_and_two_tabs_of_one_share_it(serve) -> None:
    one, other = serve(), serve()
    tokens = [browser.get("/", headers=HTML).cookies[TOKEN_COOKIE] for browser in (one, other)]
    assert len(set(tokens)) == 2
    assert TOKEN_COOKIE not in given(one.get("/train?x=1", headers=HTML))  # a second tab: nothing new


@pytest.mark.fault(69)
@pytest.mark.parametrize("cookie", ["", "short", "x" * 44, "a" * 42 + "!", "<script>", "é" * 43, "../" * 15, "a" * 4000])
def test_a_malformed_token_is_replaced(serve, cookie: str) -> None:
    answer = serve().get("/", headers={**HTML, "cookie": f"{TOKEN_COOKIE}={cookie}".encode("latin-1")})
    assert answer.status_code == 200
    assert is_token(given(answer)[TOKEN_COOKIE].value)


def test_only_pages_bring_a_token_and_a_page_that_the_browser_has_already_does_too(serve) -> None:
    assert not given(serve().get("/healthz"))
    assert not given(serve().get("/app/scripts/one.js"))
    assert TOKEN_COOKIE in given(serve().get("/", headers={**HTML, "if-none-match": "1"}))


def test_behind_https_the_cookie_is_secure_and_a_header_alone_does_not_say_so(serve) -> None:
    client = serve()
    assert not given(client.get("/", headers={**HTML, "x-forwarded-proto": "https"}))[TOKEN_COOKIE]["secure"]
    client = serve(allowed_hosts="localhost")
    client.base_url = "https://localhost:8501"  # as uvicorn says where it trusts the proxy
    assert given(client.get("/", headers=HTML))[TOKEN_COOKIE]["secure"]


def test_a_space_is_taken_along_by_its_key_and_a_fresh_one_needs_a_word(serve) -> None:
    client, key = serve(), new_token()
    client.get("/", headers=HTML)
    answer = post(client, "/space", what="take", key=f"  {key}\n", next="/runs?run=abc")
    assert (answer.status_code, answer.headers["location"]) == (303, "/runs?run=abc")
    assert given(answer)[TOKEN_COOKIE].value == key
    assert TOKEN_COOKIE not in given(client.get("/", headers=HTML))  # the page keeps it
    assert post(client, "/space", what="fresh").status_code == 400
    fresh = given(post(client, "/space", what="fresh", sure="yes"))[TOKEN_COOKIE].value
    assert is_token(fresh)
    assert fresh != key


@pytest.mark.parametrize("key", ["", "nonsense", "x" * 43 + "!", "x" * 50_000, space_of("a")])
def test_what_is_no_key_opens_no_space(serve, key: str) -> None:
    answer = post(serve(), "/space", what="take", key=key)
    assert answer.status_code == 400
    assert "This is no private key" in answer.text
    assert not is_token(given(answer)[TOKEN_COOKIE].value) or given(answer)[TOKEN_COOKIE].value != key


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}, {"origin": "null"}])
@pytest.mark.parametrize("path", ["/space", "/enter", "/host"])
def test_a_form_of_another_page_is_refused(serve, path: str, headers: dict) -> None:
    answer = serve().post(path, data={"what": "fresh", "sure": "yes"}, headers=headers)
    assert answer.status_code == 403
    assert not answer.headers.get_list("set-cookie")


def test_a_giant_form_is_refused(serve) -> None:
    assert post(serve(), "/space", what="take", key="x" * 70_000).status_code == 413


def test_the_space_of_a_login_is_that_of_issuer_and_subject_and_no_token_opens_it() -> None:
    one = space_of_login("https://a.example", "7")
    assert one == space_of_login("https://a.example", "7")
    assert len({one, space_of_login("https://b.example", "7"), space_of_login("https://a.example", "8")}) == 3
    assert space_of_login("a", "b c") != space_of_login("a b", "c")
    assert one != space_of('["https://a.example", "7"]')
