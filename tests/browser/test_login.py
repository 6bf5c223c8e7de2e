"""A login by OpenID Connect, with a small provider of our own and a real browser."""

import re

import pytest

from tests.browser.conftest import ROOT, serious_findings, serving, settled, watched_page
from tests.browser.fake_provider import CLIENT, providing

pytestmark = [pytest.mark.browser, pytest.mark.slow_fault, pytest.mark.fault(71)]


@pytest.fixture
def provider():
    with providing() as one:
        yield one


@pytest.fixture
def server(provider, tmp_path, monkeypatch):
    """A server that requires a login."""
    variables = {
        "LOGIN_REQUIRED": "1",
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": "the client's secret",
        "OIDC_METADATA_URL": f"{provider.issuer}/.well-known/openid-configuration",
        "OIDC_REDIRECT_URI": "http://127.0.0.1:{port}/oauth2callback",
        "OIDC_COOKIE_SECRET": "c" * 40,
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"LAYERWISE_{name}", value)
    with serving(ROOT / "dashboard/server.py", tmp_path) as address:
        yield address
        log = tmp_path / "server.log"
        words = log.read_text()
        assert (
            words.count("Traceback") == words.count("joserfc.errors.BadSignatureError:") == 1
        )  # Streamlit tells of the forged token
        assert variables["OIDC_CLIENT_SECRET"] not in words
        assert variables["OIDC_COOKIE_SECRET"] not in words
        log.write_text("")


def log_in(page) -> None:
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name=re.compile("My space")).wait_for()
    settled(page)


def open_space(page) -> str:
    page.get_by_role("button", name=re.compile("My space")).click()
    return page.get_by_text("You are logged in as").inner_text()


def test_who_logs_in_has_one_space_in_every_browser_and_gets_back_to_the_link(browser, server, provider):
    page, wrong = watched_page(browser)
    page.goto(f"{server}/runs?hide=undo")
    settled(page)
    assert serious_findings(page) == []
    assert page.get_by_role("button", name=re.compile("My space")).count() == 0
    log_in(page)
    assert page.url.startswith(f"{server}/runs?")
    assert "hide=undo" in page.url
    assert open_space(page) == "You are logged in as Person 7."
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Train", exact=True).click()
    settled(page)
    page.get_by_test_id("stMain").get_by_role("button", name=re.compile("Train$")).click()
    page.wait_for_url(re.compile("run="))
    link = page.url

    other, others_wrong = watched_page(browser)  # the same person elsewhere
    other.goto(link)
    settled(other)
    log_in(other)
    assert "run=" in other.url
    other.get_by_test_id("stMain").get_by_role("button", name=re.compile("Reset$")).wait_for()

    provider.subject = "8"  # another person with the same e-mail address
    third, thirds_wrong = watched_page(browser)
    third.goto(link)
    settled(third)
    log_in(third)
    third.get_by_text("This run belongs to somebody else").wait_for()
    open_space(third)
    third.get_by_role("button", name="Log out").click()
    third.get_by_role("button", name="Log in").wait_for()

    provider.is_forged = True  # a token that the provider has not signed
    third.get_by_role("button", name="Log in").click()
    third.wait_for_load_state()
    third.get_by_role("button", name="Log in").wait_for()
    assert third.get_by_role("button", name=re.compile("My space")).count() == 0
    for one in (page, other, third):
        one.context.close()
    assert not wrong + others_wrong + thirds_wrong
