"""Our training step against a naive DataLoader loop, Lightning, skorch and Keras 3 on torch.

Each runs in a process of its own, with one thread and the same torch, on the same 60,000 pictures in batches of 128, with Adam,
and reads the loss of each step. What is timed is processor time per step after a warm-up; set-up is not in it. Ours are steps
of `LiveRun`, in the environment that a worker has (core/jobs/work/limits.py); the naive loop is also measured in that
environment (`naive_tamed`). Rounds alternate; a figure is the median over the rounds of the ratio within the round.

Frameworks are installed into virtual environments below .layerwise/peers, beside the torch that is here.

Last line: {"mlp_vs_naive": ..., "cnn_vs_naive": ..., "cnn_bf16_vs_naive": ..., "mlp_vs_best_peer": ...,
"cnn_vs_best_peer": ..., "drift_5000": ..., "details": ...}: how many times the peer's time ours is; the best peer is the
fastest framework of a round; drift is our step's time (MLP) at step 5,000 over that at step 100.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from core.data.rendered import RenderedDigits
from core.jobs.work.limits import ONE_THREAD, worker_environment
from core.training.device import has_bfloat16_units

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "benchmarks"
PLACES = ROOT / ".layerwise" / "peers"
UV = ROOT / ".venv" / "bin" / "uv"
FRAMEWORKS = ("lightning", "skorch", "keras")
DRIFT_STEPS = 5_300
WINDOW = 6
"""Marks of 50 steps each around the two places where drift is measured."""


def python_of(framework: str) -> Path:
    """The interpreter of a framework's own environment, made when it is not there; torch is ours."""
    place = PLACES / framework
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        PLACES.mkdir(parents=True, exist_ok=True)
        without_torch = PLACES / "overrides.txt"
        without_torch.write_text("torch ; sys_platform == 'never'\n")
        subprocess.run([UV, "venv", "-q", "--clear", "--python", sys.executable, place], check=True)
        packages = next((ROOT / ".venv").glob("lib/python*/site-packages"))
        next(place.glob("lib/python*/site-packages")).joinpath("ours.pth").write_text(f"{packages}\n")
        install = [UV, "pip", "install", "-q", "--python", python, "--override", without_torch, framework]
        subprocess.run(install, check=True)
        (place / "ready").touch()
    return python


def measured(peer: str, model: str, steps: int, data: Path, *options: str) -> dict[str, Any]:
    """What one process told of its steps."""
    python = python_of(peer) if peer in FRAMEWORKS else Path(sys.executable)
    environment = {name: value for name, value in os.environ.items() if name != "PYTORCH_NVML_BASED_CUDA_CHECK"} | ONE_THREAD
    if peer == "ours" or "--tamed" in options:
        environment = worker_environment(environment)
    path = [str(HERE), str(ROOT)] if peer == "ours" else [str(HERE)]
    environment["PYTHONPATH"] = os.pathsep.join(path)
    script = HERE / f"peers_{peer}.py"
    command = [python, script, "--model", model, "--steps", str(steps), "--data", data, *options]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode or not done.stdout:
        raise SystemExit(f"{peer} failed:\n{done.stdout}\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{model} {peer} {' '.join(options)}: {told['us']:,.0f} us per step, loss {told['loss']:.3f}", flush=True)
    return told


def kept_data(folder: Path) -> Path:
    """Pictures (N, 1, 28, 28) uint8 and their classes, in a file."""
    train = RenderedDigits(n_examples=60_000).splits(0).train
    path = folder / "digits.npz"
    np.savez(path, x=train.x, y=train.y)
    return path


def rounds_of(model: str, steps: int, rounds: int, data: Path) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Microseconds per step of everybody in every round, and what they said about themselves."""
    who = {"ours": ("ours",), "naive": ("naive",), "naive_tamed": ("naive", "--tamed")} | {name: (name,) for name in FRAMEWORKS}
    if model == "cnn" and has_bfloat16_units():
        who["ours_bf16"] = ("ours", "--bfloat16")
    times: dict[str, list[float]] = defaultdict(list)
    about: dict[str, Any] = {}
    for turn in range(rounds):
        names = list(who)
        for name in names if turn % 2 == 0 else reversed(names):
            peer, *options = who[name]
            told = measured(peer, model, steps, data, *options)
            times[name].append(told.pop("us"))
            about[name] = {key: value for key, value in told.items() if key not in ("marks", "loss")}
    return times, about


def ratio(peer: list[float], ours: list[float]) -> float:
    """Median over the rounds of peer / ours."""
    return round(statistics.median(theirs / mine for theirs, mine in zip(peer, ours, strict=True)), 3)


def best(times: dict[str, list[float]]) -> list[float]:
    """The fastest framework of each round."""
    return [min(each) for each in zip(*(times[name] for name in FRAMEWORKS), strict=True)]


def drift(data: Path) -> float:
    """Median time of 50 steps near step 5,000 over that near step 100."""
    marks = measured("ours", "mlp", DRIFT_STEPS, data)["marks"]
    spans = np.diff(marks)  # of 50 steps each
    early, late = spans[:WINDOW], spans[100 - WINDOW // 2 : 100 + WINDOW // 2]
    return float(np.median(late) / np.median(early))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mlp-steps", type=int, default=1500)
    parser.add_argument("--cnn-steps", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cnn-rounds", type=int, default=1, help="1,000 steps of everybody take seven minutes")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = kept_data(Path(folder))
        mlp, about = rounds_of("mlp", told.mlp_steps, told.rounds, data)
        cnn, about_cnn = rounds_of("cnn", told.cnn_steps, told.cnn_rounds, data)
        drifts = [drift(data) for _ in range(told.rounds)]
    has_bf16 = "ours_bf16" in cnn
    found = {
        "mlp_vs_naive": ratio(mlp["naive"], mlp["ours"]),
        "cnn_vs_naive": ratio(cnn["naive"], cnn["ours"]),
        "cnn_bf16_vs_naive": ratio(cnn["naive"], cnn["ours_bf16"]) if has_bf16 else None,
        "mlp_vs_best_peer": ratio(best(mlp), mlp["ours"]),
        "cnn_vs_best_peer": ratio(best(cnn), cnn["ours"]),
        "drift_5000": round(statistics.median(drifts), 3),
    }
    details = {
        "cnn_bf16": "measured" if has_bf16 else "null: this processor has no bfloat16 units (AMX or AVX512-BF16)",
        "mlp_vs_naive_tamed": ratio(mlp["naive_tamed"], mlp["ours"]),
        "cnn_vs_naive_tamed": ratio(cnn["naive_tamed"], cnn["ours"]),
        "mlp_us": {name: round(statistics.median(each)) for name, each in mlp.items()},
        "cnn_us": {name: round(statistics.median(each)) for name, each in cnn.items()},
        "drifts": [round(each, 3) for each in drifts],
        "steps": {"mlp": told.mlp_steps, "cnn": told.cnn_steps, "drift": DRIFT_STEPS},
        "rounds": {"mlp": told.rounds, "cnn": told.cnn_rounds, "drift": told.rounds},
        "about": {"mlp": about, "cnn": about_cnn, "machine": platform.machine(), "cores": os.cpu_count()},
    }
    print(json.dumps(found | {"details": details}))


if __name__ == "__main__":
    main()
