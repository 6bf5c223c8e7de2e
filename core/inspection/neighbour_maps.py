"""t-SNE and UMAP of some moments, computed by a process of their own that can be stopped at any time."""

import io
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import numpy as np

from core.errors import MissingPackage, PoolError
from core.inspection.neighbour_process import read_frame, write_frame

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.1
IS_COMPILED = True
"""Whether UMAP is compiled; else it runs as plain Python, a hundred times as slow: for tests with a few points."""


def neighbour_maps(
    features: np.ndarray, start: np.ndarray, ask: dict[str, Any], folder: Path, tell: Callable[[int], None]
) -> np.ndarray:
    """Places (M, N, d) float32 of points (M, N, k) at M moments; the first begins at `start` (N, d), each other one where the
    one before it ended.

    Args:
        ask: {"method": "tsne" or "umap", "seed": ..., "settings": {...}}.
        folder: where compiled code is kept.
        tell: gets the number of moments done, several times a second; what it raises ends the process.

    Raises:
        MissingPackage: UMAP is not installed.
        PoolError: the process ended early.
    """
    if ask["method"] == "umap" and find_spec("umap") is None:
        raise MissingPackage(
            "UMAP is not installed here.", hint="Install the package umap-learn, or choose PCA or t-SNE, which are there."
        )
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "core.inspection.neighbour_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(folder),
            cwd=ROOT,
        )
        try:
            return _answers(process, _request(features, start, ask), len(features), tell, complaints)
        finally:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()
            process.wait()


def _answers(
    process: "subprocess.Popen[bytes]", request: bytes, n: int, tell: Callable[[int], None], complaints: IO[bytes]
) -> np.ndarray:
    assert process.stdin is not None  # noqa: S101  asked for as a pipe
    assert process.stdout is not None  # noqa: S101
    found: list[np.ndarray] = []
    try:
        write_frame(process.stdin, request)  # type: ignore[arg-type]
        while len(found) < n:
            tell(len(found))
            ready, _, _ = select.select([process.stdout], [], [], POLL_S)
            if not ready:
                continue
            found.append(np.load(io.BytesIO(read_frame(process.stdout)), allow_pickle=False))  # type: ignore[arg-type]
    except (BrokenPipeError, EOFError, ValueError) as error:
        raise PoolError(
            "The process that draws the map ended early.",
            hint="Try fewer examples, or another method.",
            cause=_last_line(complaints) or str(error),
        ) from error
    tell(n)
    return np.stack(found).astype(np.float32)


def _request(features: np.ndarray, start: np.ndarray, ask: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(ask).encode(), np.uint8)
    np.savez(buffer, ask=text, features=features.astype(np.float32), start=start.astype(np.float32))
    return buffer.getvalue()


def _environment(folder: Path) -> dict[str, str]:
    """That of this process, with a compiler for UMAP whose work is kept for the next time."""
    environment = dict(os.environ)
    environment.pop("NUMBA_DISABLE_JIT", None)
    if not IS_COMPILED:
        environment["NUMBA_DISABLE_JIT"] = "1"
    elif find_spec("umap") is not None:
        name = f"umap-{version('umap-learn')}-numba-{version('numba')}"
        environment["NUMBA_CACHE_DIR"] = str((folder / name).resolve())
    return environment


def _last_line(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    lines = complaints.read().decode(errors="replace").strip().splitlines()
    return lines[-1][:300] if lines else ""
