"""The host's page in a real browser: it changes by itself, a run is stopped from it; its server logs JSON, without secrets."""

import json
import re
import urllib.request
from pathlib import Path

import pytest

from core.jobs.client import Client
from core.jobs.training import TrainJob
from core.settings import Settings
from tests.browser.conftest import ROOT, serious_findings, serving, settled
from tests.core.samples import spiral

pytestmark = [pytest.mark.browser, pytest.mark.slow_fault]

KEY = "canary-host-key-5193"


def test_the_host_watches_a_run_and_stops_it(page, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_HOST_KEY", KEY)
    monkeypatch.setenv("LAYERWISE_LOG_FORMAT", "json")
    page.set_default_timeout(120_000)  # a worker is warm only after some seconds, on a busy machine after many
    home = tmp_path / "home"
    with serving(ROOT / "dashboard/server.py", tmp_path) as address:
        page.goto(f"{address}/health")
        page.get_by_text("Only the host of this server").wait_for()
        assert not page.get_by_role("link", name="Health", exact=True).count()
        page.goto(f"{address}/host")
        page.get_by_label("Host key").fill(KEY)
        page.get_by_role("button", name="Become host").click()
        page.goto(address)
        page.get_by_role("link", name="Health", exact=True).click()
        settled(page)
        client = Client(home, Settings(home=home))
        run = client.submit(TrainJob(experiment=spiral(steps=5_000_000)), owner="ab" * 16)
        at_work = page.get_by_test_id("stMetric").filter(has_text="Runs at work")
        at_work.get_by_text("1", exact=True).wait_for()  # without a click, and without a reload
        page.get_by_role("combobox", name="Run to stop").click()
        page.get_by_role("option", name=re.compile(f"{run[:6]} · Training · abababab")).click()
        page.get_by_role("button", name=f"Stop run {run[:6]}").click()
        at_work.get_by_text("0", exact=True).wait_for()
        assert client.store.run(run).state == "stopped"
        assert serious_findings(page) == []
        assert json.loads(urllib.request.urlopen(f"{address}/healthz").read())["running"] == 0
        client.store.close()
    _check_logs(home / "logs")


def _check_logs(folder: Path) -> None:
    """Every line of every process parses, and none tells the key."""
    lines = [line for file in folder.glob("*.log") for line in file.read_text().splitlines()]
    assert {json.loads(line)["process"] for line in lines} >= {"supervisor"}
    assert KEY not in "".join(lines)
