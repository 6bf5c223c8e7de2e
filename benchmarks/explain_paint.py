"""How long a page waits for Grad-CAM and Integrated Gradients: from submit to both results in hand, through the warm worker."""

import tempfile
import time
from pathlib import Path

import numpy as np

from core.data.rendered import RenderedDigits
from core.experiment.experiment import Budget, Experiment, Lane
from core.explanation.grad_cam import GradCam
from core.explanation.integrated import IntegratedGradients
from core.jobs.client import Client
from core.jobs.job import ArtifactRef
from core.jobs.lenses import RESULT, ExampleRef, ExplainJob
from core.jobs.training import TrainJob
from core.models.layers.activation import ReLU
from core.models.layers.convolution import Conv2d
from core.models.layers.linear import Linear
from core.models.layers.pooling import MaxPool2d
from core.models.layers.shape import Flatten
from core.models.model import ModelSpec
from core.optim.optimizers import Adam
from core.results.attribution import Attribution
from core.results.codec import load_result
from core.settings import Settings
from core.types import UNFINISHED

LOOK_S = 0.01
"""As the page looks for results (dashboard/widgets/lens.py)."""
PATIENCE_S = 120.0


def experiment() -> Experiment:
    """The CNN of the benchmark on rendered digits, trained for a moment."""
    convolutions = (
        Conv2d(out_channels=16, padding=1),
        ReLU(),
        MaxPool2d(),
        Conv2d(out_channels=32, padding=1),
        ReLU(),
        MaxPool2d(),
    )
    model = ModelSpec(layers=(*convolutions, Flatten(), Linear(out_features=64), ReLU(), Linear(out_features=10)))
    lane = Lane(optimizer=Adam(lr=0.002))
    data = RenderedDigits(n_examples=2000)
    return Experiment(data=data, model=model, lanes=(lane,), batch_size=64, budget=Budget(epochs=None, steps=40), device="cpu")


def waits_ms(n: int) -> list[float]:
    """The waits of `n` examples, each seen for the first time, in a worker that has seen others."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        client = Client(home, Settings(home=home))
        try:
            run = client.submit(TrainJob(experiment=experiment()))
            _ended(client, run)
            newest = client.store.artifacts(run, kind="checkpoint")[-1]
            weights = ArtifactRef(run=run, name=newest.name, sha256=newest.sha256)
            for index in range(2):  # loads libraries and data
                _wait_ms(client, weights, index)
            return [_wait_ms(client, weights, index) for index in range(2, n + 2)]
        finally:
            client.shutdown()


def _wait_ms(client: Client, weights: ArtifactRef, index: int) -> float:
    asked = {"experiment": experiment(), "weights": weights, "example": ExampleRef(index=index)}
    began = time.perf_counter()
    runs = [client.submit(ExplainJob(explainer=method, **asked)) for method in (GradCam(), IntegratedGradients())]
    for run in runs:
        _ended(client, run)
        found = load_result(Attribution, client.artifact_bytes(run, RESULT))
        if not np.isfinite(found.values).all():
            raise SystemExit("an explanation is not finite")
    return (time.perf_counter() - began) * 1e3


def _ended(client: Client, run: str) -> None:
    """Until it has."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        record = client.store.run(run)
        if record is not None and record.state not in UNFINISHED:
            if record.state != "finished":
                raise SystemExit(f"a run ended as {record.state}: {record.reason}")
            return
        time.sleep(LOOK_S)
    raise SystemExit("a run did not end")
