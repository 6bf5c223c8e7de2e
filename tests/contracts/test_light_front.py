"""The process that serves the pages never imports torch: seconds and 500 MB saved, and a model's crash stays away."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch",
    "torchvision",
    "shap",
    "lime",
    "captum",
    "sklearn",
    "skimage",
    "onnx",
    "onnxruntime",
    "tensorboard",
)
FRONT = (
    "dashboard.server",
    "dashboard.screens.build",
    "dashboard.screens.train",
    "dashboard.screens.inspect",
    "dashboard.screens.explain",
    "dashboard.screens.evaluate",
    "dashboard.screens.runs",
    "dashboard.screens.compress",
    "dashboard.screens.export",
    "dashboard.widgets.header",
    "dashboard.stream",
    "dashboard.session.follow",
    "core.jobs.client",
    "core.jobs.supervisor",
    "core.jobs.shipping",
    "core.experiment.check",
)


def test_importing_the_front_and_using_its_menus_loads_no_torch():
    use = "from core.experiment.examples import EXAMPLES as all; from core.experiment.check import findings as look"
    use += "; [look(example.make()) for example in all]"
    code = f"import sys, {', '.join(FRONT)}; {use}; print([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "[]", run.stdout
