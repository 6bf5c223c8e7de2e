"""A real server and a real Chromium. A page error, a console error, a failed request or a traceback fails the test."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
# streamlit looks below the present page first when a page other than the first is opened directly
BENIGN = re.compile(r"/[\w-]+/_stcore/(health|host-config)$")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def serving(entry: Path, folder: Path) -> Iterator[str]:
    """The address of a server of `entry` that keeps its runs in `folder`; it is stopped at the end."""
    port, log = free_port(), folder / "server.log"
    environment = {**os.environ, "LAYERWISE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "streamlit", "run", str(entry), "--server.port", str(port)]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        _wait(process, f"http://127.0.0.1:{port}/healthz", log)
        yield f"http://127.0.0.1:{port}"
        _is_light(process)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _stop_supervisor(folder / "home")
    text = log.read_text()
    assert "Traceback" not in text, text[-4000:]


def _is_light(process: subprocess.Popen) -> None:
    """Fail when the server, where it still lives, has loaded torch: whatever was clicked, only workers may."""
    maps = Path(f"/proc/{process.pid}/maps")
    if maps.exists() and process.poll() is None:
        loaded = maps.read_text()
        assert "python" in loaded
        assert "libtorch" not in loaded


def _stop_supervisor(home: Path) -> None:
    """End the supervisor of this folder: by design it outlives its server."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has just ended
            continue
        if b"core.jobs.supervisor" in words and str(home).encode() in words:
            os.kill(int(entry.name), signal.SIGTERM)


def _wait(process: subprocess.Popen, address: str, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            pytest.fail(log.read_text())
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:
                assert b'"ok"' in answer.read()  # streamlit answers every address with its page
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("The server did not answer.\n" + log.read_text())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The real dashboard, with an empty store of its own."""
    with serving(ROOT / "dashboard/server.py", tmp_path_factory.mktemp("dashboard")) as address:
        yield address


@pytest.fixture(scope="session")
def components_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The components' test page."""
    with serving(HERE / "components_server.py", tmp_path_factory.mktemp("components")) as address:
        yield address


# not for the session: playwright keeps an event loop in this thread, and other tests start theirs
@pytest.fixture(scope="module")
def browser() -> Iterator:
    with sync_api.sync_playwright() as playwright:
        path = next((path for path in (CHROMIUM, playwright.chromium.executable_path) if Path(path).exists()), None)
        if path is None:
            missing = pytest.fail if os.environ.get("LAYERWISE_NEEDS_BROWSER") else pytest.skip
            missing("Chromium is not installed (apt-get install chromium), and CHROMIUM does not name one")
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


def watched_page(browser, **options) -> tuple:
    """A page of its own context, and the list in which everything that goes wrong on it ends up."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **options})
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
    page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 and not BENIGN.search(r.url) else None)
    page.on("requestfailed", lambda r: wrong.append(f"failed {r.url}") if "127.0.0.1" not in r.url else None)
    page.on(
        "console",
        lambda m: wrong.append(f"console: {m.text}") if m.type == "error" and "404 (Not Found)" not in m.text else None,
    )
    return page, wrong


@pytest.fixture
def page(browser) -> Iterator:
    """A page at 1440 x 900 on which nothing may go wrong."""
    page, wrong = watched_page(browser)
    yield page
    page.context.close()
    assert not wrong, wrong


def settled(page) -> None:
    """Wait until the script has run and nothing on the page is stale."""
    page.wait_for_function(
        "() => { const app = document.querySelector('[data-testid=stApp]')?.dataset;"
        " return app?.testScriptState === 'notRunning' && app.testConnectionState === 'CONNECTED'; }"
    )


def serious_findings(page) -> list[tuple[str, list[str]]]:
    """What axe finds on the page that is serious or critical: rule and places."""
    from axe_playwright_python.sync_playwright import Axe

    results = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]}).response
    return [
        (finding["id"], [node["html"][:200] for node in finding["nodes"]])
        for finding in results["violations"]
        if finding["impact"] in ("serious", "critical")
    ]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine stalls now and then: its tests get a second and a third try, which the report names."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))
