"""Starts the supervisor of a data folder, at most one at a time and not too often."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import core
from core.jobs.work.limits import without_secrets
from core.settings import Settings

RESTART_S = 3.0
"""Shortest time between two attempts to start a supervisor."""


class Starter:
    """One per server process; its methods may be called from any thread."""

    def __init__(self, home: Path, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._lock = threading.Lock()
        self._started: list[subprocess.Popen[bytes]] = []
        self._last_start = -RESTART_S

    def wait(self, timeout_s: float) -> None:
        """Wait until every supervisor that was started here has ended."""
        with self._lock:
            for process in self._started:
                process.wait(timeout_s)
            self._started.clear()

    def start(self) -> None:
        """Start one, unless that was just done. Does not wait for it."""
        with self._lock:
            self._started = [process for process in self._started if process.poll() is None]
            if time.monotonic() - self._last_start < RESTART_S and self._started:
                return
            if time.monotonic() - self._last_start < RESTART_S / 10:
                return
            self._last_start = time.monotonic()
            logs = self._home / "logs"
            logs.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(logs / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
                process = subprocess.Popen(
                    [sys.executable, "-m", "core.jobs.supervisor", "--ensure", "--home", str(self._home)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment(),
                    start_new_session=True,  # a run goes on when the server is stopped
                )
            self._started.append(process)

    def _environment(self) -> dict[str, str]:
        values: dict[str, Any] = json.loads(self._settings.model_dump_json())
        values |= {"home": str(self._home), "data": str(self._settings.data.absolute())}
        root = str(Path(core.__file__).resolve().parents[1])
        places = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        ours = {f"LAYERWISE_{name.upper()}": str(value) for name, value in values.items()}
        # compiled bytecode halves the pool's start: some containers forbid it
        ambient = {name: value for name, value in without_secrets(os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
        return ambient | ours | {"PYTHONPATH": os.pathsep.join(places)}
