"""What the audit of packages fails on, and what it only says."""

import json
import subprocess

import pytest

from tools import audit_packages as audit


def told(name, *ids):
    return {
        "name": name,
        "version": "1",
        "vulns": [{"id": one, "aliases": [f"CVE-{one}"], "fix_versions": ["2"]} for one in ids],
    }


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([told("a"), told("b", "P-1")], 1, "b 1: P-1, mended in 2"),
        ([told("a"), {"name": "b", "skip_reason": "not found"}], 0, "1 audited, 1 not on the list"),
        ([{"name": "b", "skip_reason": "not found"}], 0, "not audited"),
    ],
)
def test_a_known_vulnerability_fails_and_nothing_known_is_said(packages, code, words, capsys):
    assert audit.judged(packages) == code
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("argued", ["P-1", "CVE-P-1"])
def test_an_argued_vulnerability_does_not_fail(argued, monkeypatch):
    monkeypatch.setattr(audit, "ARGUED", {argued: "never reached"})
    assert audit.judged([told("b", "P-1")]) == 0
    assert audit.judged([told("b", "P-1", "P-2")]) == 1


@pytest.mark.parametrize(
    ("stdout", "stderr", "code"),
    [
        ("", "requests.exceptions.ConnectionError: Max retries exceeded", 0),
        ("", "error: no such option", 1),
        (json.dumps({"dependencies": [told("b", "P-1")]}), "Found 1 known vulnerability", 1),
    ],
)
def test_no_network_fails_nothing_and_a_broken_audit_does(stdout, stderr, code, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, stdout, stderr))
    assert audit.main() == code
