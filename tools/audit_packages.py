"""Holds the installed packages against the list of known vulnerabilities, by pip-audit: `python tools/audit_packages.py`.

One that is known fails, unless ARGUED says why it does no harm here. Without a network, or behind a mirror that has no such
list, nothing is known: that is said in one line, and fails nothing.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

ARGUED: dict[str, str] = {}
"""Vulnerabilities that do no harm here: id -> why. An entry whose package was mended is to be removed."""
PATIENCE_S = 40
OFFLINE = ("ConnectionError", "Max retries", "timed out", "Timeout", "Temporary failure", "Name or service", "HTTPError")
"""What pip-audit says where no list could be asked."""


def main() -> int:
    """Ask, and say what was found; 1 where something has to be done."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except subprocess.TimeoutExpired:
        return _say(f"packages: not audited, no answer within {PATIENCE_S} s")
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        told = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        is_offline = any(word in done.stderr for word in OFFLINE)
        return _say(f"packages: not audited, {told[0][:200]}", 0 if is_offline else 1)
    return judged(packages)


def judged(packages: list[dict[str, Any]]) -> int:
    """Say what is known of these packages; 1 where one has a vulnerability that is not argued."""
    audited = [package for package in packages if "vulns" in package]
    found = list(_found(audited))
    for name, version, vulnerability in found:
        print(f"{name} {version}: {vulnerability['id']}, mended in {', '.join(vulnerability['fix_versions']) or 'no version'}")
    if not audited:
        return _say(f"packages: not audited, the index has no list of vulnerabilities for any of {len(packages)} packages")
    unknown = len(packages) - len(audited)
    return _say(f"packages: {len(audited)} audited, {unknown} not on the list, {len(found)} to be mended", 1 if found else 0)


def _found(packages: list[dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for package in packages:
        for vulnerability in package["vulns"]:
            if not ARGUED.keys() & {vulnerability["id"], *vulnerability.get("aliases", ())}:
                yield package["name"], package["version"], vulnerability


def _say(told: str, code: int = 0) -> int:
    print(told)
    return code


if __name__ == "__main__":
    sys.exit(main())
