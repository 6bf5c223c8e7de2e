"""Secrets of the server are looked for everywhere after a run: files, processes, answers."""

import json
from pathlib import Path

import pytest

from core.jobs.pool.control import ask
from tests.core.jobs.demo_jobs import Count

CANARIES = {
    name: f"canary-{place}-8f3a"
    for place, name in enumerate(
        (
            "LAYERWISE_ACCESS_CODE",
            "LAYERWISE_HOST_KEY",
            "LAYERWISE_OIDC_CLIENT_SECRET",
            "LAYERWISE_OIDC_COOKIE_SECRET",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "DATABASE_PASSWORD",
        )
    )
}


def processes_of(home: Path) -> list[Path]:
    """The supervisor of this folder and all that it has started."""
    found: list[Path] = []
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            parents[entry.name] = stat[1]
            if str(home).encode() in (entry / "cmdline").read_bytes():
                found.append(entry)
        except OSError:  # it has just ended
            continue
    more = [Path("/proc") / pid for pid, parent in parents.items() if parent in {one.name for one in found}]
    most = [Path("/proc") / pid for pid, parent in parents.items() if parent in {one.name for one in more}]
    return [*found, *more, *most]


@pytest.mark.fault(68)
@pytest.mark.fault(125)
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system shows no environment of a process")
def test_no_secret_is_in_any_file_process_or_answer(make_pool, monkeypatch):
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    pool = make_pool()
    run = pool.client.submit(Count(steps=2000, step_s=0.01), name="looked at")
    pool.wait_for_step(run, 3)
    processes = processes_of(pool.home)
    places = {str(one): (one / "environ").read_bytes() for one in processes if (one / "environ").exists()}
    assert len(places) > 2
    pool.end(Count(seed=1, steps=30, trouble="bug"))
    files = [path for path in pool.home.rglob("*") if path.is_file()]
    assert len(files) > 4
    places |= {str(path): path.read_bytes() for path in files}
    for question in ("status", "queue", "present", "nothing"):
        places[question] = json.dumps(ask(pool.home, {"ask": question, "owners": []}, timeout_s=5)).encode()
    found = {(place, name) for place, text in places.items() for name, value in CANARIES.items() if value.encode() in text}
    assert found == set()
    modes = {path: path.stat().st_mode & 0o077 for path in pool.home.rglob("*")}
    assert {path: oct(mode) for path, mode in modes.items() if mode} == {}
    assert pool.home.stat().st_mode & 0o077 == 0
