"""What goes with a login: its settings, the way back, and a guard of our own routes where it is required."""

from http.cookies import SimpleCookie
from urllib.parse import unquote

import pytest
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from core.errors import SpecError
from core.settings import Settings
from dashboard import secrets as secret_words
from dashboard.entrance.login import LOGIN_COOKIE, MAX_NEXT, NEXT_COOKIE, streamlit_secrets
from dashboard.secrets import Login, Secrets, check
from dashboard.server import middleware
from tests.dashboard.entrance.conftest import HTML, ORIGIN, live, page

PROVIDER = Login("client", "s3cret", "https://id.example/.well-known", f"{ORIGIN}/oauth2callback", "c" * 40)
VARIABLES = {
    "CLIENT_ID": "client",
    "CLIENT_SECRET": "s3cret",
    "METADATA_URL": "https://id.example/.well-known",
    "REDIRECT_URI": f"{ORIGIN}/oauth2callback",
    "COOKIE_SECRET": "c" * 40,
}


async def start(request):
    return RedirectResponse("https://id.example/authorize", 302)


async def callback(request):
    """As Streamlit's: with an identity where the provider gave one, without where it did not."""
    answer = RedirectResponse("/", 302)
    if request.query_params.get("state") == "good":
        answer.set_cookie("_streamlit_user", "signed", httponly=True)
    else:
        answer.delete_cookie("_streamlit_user")
    return answer


@pytest.fixture
def client() -> TestClient:
    routes = [
        Route("/auth/login", start),
        Route("/auth/logout", callback),
        Route("/oauth2callback", callback),
        Route("/api/data", page),
        WebSocketRoute("/api/runs/{run}/live", live),
        Route("/{path:path}", page),
    ]
    settings = Settings(login_required=True)
    app = Starlette(routes=routes, middleware=middleware(settings, Secrets(login=PROVIDER)))
    return TestClient(app, base_url=ORIGIN, follow_redirects=False)


def watches(client: TestClient) -> bool:
    try:
        with client.websocket_connect("ws://localhost:8501/api/runs/abcdefgh/live"):
            return True
    except WebSocketDisconnect:
        return False


def test_our_own_routes_answer_who_has_logged_in_until_that_one_logs_out(client: TestClient) -> None:
    assert client.get("/train", headers=HTML).status_code == 200  # the page asks for the login itself
    assert client.get("/api/data").status_code == 401
    assert not watches(client)
    client.get("/oauth2callback?state=good")
    assert client.get("/api/data").status_code == 200
    assert watches(client)
    client.get("/auth/logout")
    assert LOGIN_COOKIE not in client.cookies
    assert not watches(client)


@pytest.mark.fault(71)
def test_a_login_that_failed_or_a_forged_proof_opens_nothing(client: TestClient) -> None:
    client.get("/oauth2callback?state=bad")
    assert not watches(client)
    client.cookies.set(LOGIN_COOKIE, secret_words.proof("login", "another secret", 60))
    assert not watches(client)
    client.cookies.set("_streamlit_user", "forged")
    assert not watches(client)


@pytest.mark.parametrize("place", ["/race?x=lw1.ab_-&run=abc&room=r", "/"])
def test_who_logs_in_gets_back_to_where_that_began(client: TestClient, place: str) -> None:
    client.get("/auth/login", headers={"referer": ORIGIN + place})
    assert client.get("/oauth2callback?state=good").headers["location"] == place
    assert NEXT_COOKIE not in client.cookies


def test_an_experiment_too_long_for_a_cookie_is_left_behind_and_the_run_is_not(client: TestClient) -> None:
    client.get("/auth/login", headers={"referer": f"{ORIGIN}/train?x={'a' * MAX_NEXT}&run=abc"})
    assert client.get("/oauth2callback?state=good").headers["location"] == "/train?run=abc"


@pytest.mark.fault(72)
@pytest.mark.parametrize(
    "referer", ["http://evil.example/a", "", "nonsense", f"{ORIGIN}//evil.example", f"{ORIGIN}/\\evil", "http://[x"]
)
def test_a_login_leads_to_this_site_alone(client: TestClient, referer: str) -> None:
    answer = client.get("/auth/login", headers={"referer": referer})
    assert unquote(SimpleCookie(answer.headers["set-cookie"])[NEXT_COOKIE].value) == "/"
    client.cookies.set(NEXT_COOKIE, "%2F%2Fevil.example")
    assert client.get("/oauth2callback?state=good").headers["location"] == "/"


def test_streamlit_is_told_of_the_provider_only_where_there_is_one() -> None:
    assert streamlit_secrets(None) is None
    told = streamlit_secrets(PROVIDER)["auth"]
    assert (told["client_id"], told["server_metadata_url"]) == ("client", "https://id.example/.well-known")
    assert "s3cret" not in repr(Secrets("code", "key", PROVIDER))
    assert not {"code", "key", "c" * 40} & set(repr(Secrets("code", "key", PROVIDER)).split("'"))


@pytest.fixture
def configured(monkeypatch):
    for name, value in VARIABLES.items():
        monkeypatch.setenv(f"LAYERWISE_OIDC_{name}", value)
    secret_words.secrets.cache_clear()
    yield
    secret_words.secrets.cache_clear()


def test_all_variables_make_a_login(configured) -> None:
    assert secret_words.secrets().login == PROVIDER
    check(secret_words.secrets(), login_required=True)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        *((name, "", name) for name in VARIABLES),
        ("REDIRECT_URI", ORIGIN, "must end with /oauth2callback"),
        ("COOKIE_SECRET", "short", "at least 32"),
    ],
)
def test_half_a_login_is_refused_when_the_server_starts(configured, monkeypatch, name, value, said) -> None:
    monkeypatch.setenv(f"LAYERWISE_OIDC_{name}", value)
    with pytest.raises(SpecError, match=said) as refused:
        secret_words.secrets()
    assert "s3cret" not in str(refused.value)


def test_a_login_cannot_be_required_of_no_provider() -> None:
    with pytest.raises(SpecError, match="no provider"):
        check(Secrets(), login_required=True)
