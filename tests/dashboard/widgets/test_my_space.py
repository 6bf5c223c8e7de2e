"""My space, by AppTest: whose runs these are, the key on demand, the host's part, a login."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.secrets import Login, Secrets
from dashboard.session import run_rows, visitor
from dashboard.session.visitor import HOST_COOKIE, SEES_ALL, TOKEN_COOKIE, space_of, space_of_login
from dashboard.widgets import my_space_login

TOKEN = "t" * 43
PROVIDER = Login("client", "secret", "https://id.example/.well-known", "http://localhost:8501/oauth2callback", "c" * 40)


def page():
    from dashboard.widgets.my_space import my_space

    my_space()


def closed():
    from dashboard.widgets.my_space_login import ask_for_login

    ask_for_login()


@pytest.fixture
def browser(home, monkeypatch, client):
    """What the browser sends, and how the server is set up."""
    sent, user = {}, {}
    visitor._is_alone.cache_clear()
    monkeypatch.setattr(visitor, "secrets", lambda: sent.get("secrets", Secrets()))
    context = SimpleNamespace(cookies=sent, url="http://localhost:8501/train", locale="en")
    monkeypatch.setattr(visitor.st, "context", context)
    monkeypatch.setattr(visitor.st, "user", user)
    yield SimpleNamespace(sent=sent, user=user)
    visitor._is_alone.cache_clear()


def opened() -> AppTest:
    app = AppTest.from_function(page, default_timeout=60)
    app.session_state["my_space"] = True
    app.run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return " ".join(one.value for one in app.text)


def html(app: AppTest) -> str:
    return " ".join(one.proto.body for one in app.get("html"))


def test_the_key_is_shown_on_demand_alone(browser) -> None:
    browser.sent[TOKEN_COOKIE] = TOKEN
    app = opened()
    assert not app.code
    app.button(key="my_space.show").click().run()
    assert [one.value for one in app.code] == [TOKEN]
    assert 'href="/space?next=%2Ftrain"' in html(app)
    assert "/host" not in html(app)


def test_a_browser_without_cookies_has_a_space_for_its_session(browser) -> None:
    browser.sent[TOKEN_COOKIE] = "malformed"
    app = opened()
    assert "keeps no cookies" in words(app)
    assert not app.button


def test_with_a_host_key_one_becomes_host_by_it(browser, monkeypatch) -> None:
    browser.sent["secrets"] = Secrets(host_key="key")
    assert 'href="/host?next=' in html(opened())
    assert not opened().toggle
    browser.sent[HOST_COOKIE] = visitor.host_proof()
    app = opened()
    assert "Leave host" in html(app)
    assert app.toggle(key=SEES_ALL).label == "Everybody's runs"


def test_who_is_alone_on_a_machine_may_see_and_change_the_runs_of_all_its_browsers(browser, monkeypatch) -> None:
    browser.sent[TOKEN_COOKIE] = TOKEN
    monkeypatch.setattr(visitor.st, "session_state", {})
    assert visitor.visitor() == visitor.Visitor(space_of(TOKEN), True, False)
    assert run_rows._whose() == space_of(TOKEN)
    visitor.st.session_state[SEES_ALL] = True
    assert visitor.visitor() == visitor.Visitor(space_of(TOKEN), True, True)
    assert run_rows._whose() is None
    monkeypatch.setenv("LAYERWISE_ALLOWED_HOSTS", "localhost,learn.example")  # others can come
    visitor._is_alone.cache_clear()
    assert visitor.visitor() == visitor.Visitor(space_of(TOKEN), False, False)
    assert run_rows._whose() == space_of(TOKEN)


def test_a_login_has_a_space_of_its_own_in_every_browser(browser) -> None:
    browser.sent["secrets"] = Secrets(login=PROVIDER)
    browser.sent[TOKEN_COOKIE] = TOKEN
    assert opened().button(key="my_space.login")
    assert visitor.visitor().owner == space_of(TOKEN)
    browser.user.update(is_logged_in=True, iss="https://id.example", sub="7", name="Ada *L*", email="ada@example.org")
    assert visitor.visitor().owner == space_of_login("https://id.example", "7")
    browser.sent[TOKEN_COOKIE] = "u" * 43
    assert visitor.visitor().owner == space_of_login("https://id.example", "7")
    app = opened()
    assert "You are logged in as Ada *L*." in words(app)
    assert "stay in the space of this browser" in words(app)
    assert app.button(key="my_space.logout")
    assert not app.code


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"is_logged_in": False, "iss": "a", "sub": "b"},
        {"is_logged_in": True, "email": "ada@example.org"},
        {"is_logged_in": "yes", "iss": "a", "sub": "b"},
        {"is_logged_in": True, "iss": 7, "sub": ["b"]},
    ],
)
def test_without_issuer_and_subject_nobody_has_logged_in(browser, user) -> None:
    browser.sent["secrets"] = Secrets(login=PROVIDER)
    browser.user.update(user)
    assert visitor.login() is None


def test_a_required_login_is_asked_for_in_place_of_the_page(browser, monkeypatch) -> None:
    browser.sent["secrets"] = Secrets(login=PROVIDER)
    assert my_space_login.is_let_in()
    monkeypatch.setenv("LAYERWISE_LOGIN_REQUIRED", "1")
    assert not my_space_login.is_let_in()
    app = AppTest.from_function(closed, default_timeout=60)
    app.run()
    assert not app.exception
    assert app.button(key="login.start").label == "Log in"
    browser.user.update(is_logged_in=True, iss="a", sub="b")
    assert my_space_login.is_let_in()
