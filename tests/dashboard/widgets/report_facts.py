"""Facts of reports, made on the spot without training."""

import numpy as np

from core.data.tabular import Diabetes
from core.events import Started
from core.experiment.experiment import Lane
from core.optim.losses import MeanSquaredError
from core.optim.optimizers import Adam
from core.results.attribution import Attribution
from core.results.evaluation import NumberEvaluation
from core.results.predictions import Predictions
from dashboard.figures.report_curves import ReportCurve
from dashboard.widgets.report import Explained, ReportFacts
from tests.core.samples import linear, spiral, stack

EVIL = "</script><script>window.hit=1</script><img src=x onerror=window.hit=1>"
"""A name that somebody typed."""


def curve(name: str = "", n: int = 30) -> ReportCurve:
    at = np.arange(10, n + 1, 10)
    return ReportCurve(name, np.linspace(1, 0.1, n), at, 1 / at, 2 / at, 1 - 1 / at, 1 - 2 / at)


def attribution(**changes) -> Attribution:
    """An explanation of two columns."""
    fields = {
        "method": "m",
        "label": "Method",
        "target": 0,
        "target_name": EVIL,
        "unit": "logit",
        "values": np.array([0.5, -0.25], np.float32),
        "output": 1.0,
        "probability": 0.7,
        "step": 30,
        "signed": True,
        "n_evaluations": 1,
        "seconds": 0.1,
        "input": np.zeros(2, np.float32),
        "feature_names": ("x1", EVIL),
        "feature_values": np.zeros(2),
    }
    return Attribution(**(fields | changes))


def classes(name: str = EVIL) -> ReportFacts:
    """Two classes with evil names, two lanes, one explanation."""
    labels = np.array([0, 0, 1, 1])
    known = np.log(np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.1, 0.9]]))
    lanes = (Lane(optimizer=Adam(), name=EVIL[:40]), Lane(optimizer=Adam(lr=0.1)))
    return ReportFacts(
        name=name,
        run="a" * 32,
        experiment=spiral(lanes=lanes),
        step=30,
        curves=(curve(EVIL), curve("second")),
        started=Started(0, 42, 100, 50, 50, 10, 30, "cpu", ("a", "b"), {"torch": EVIL}),
        predictions=Predictions("test", 30, (EVIL, "good"), labels, log_probabilities=known),
        explained=(Explained(3, EVIL, attribution()),),
    )


def numbers() -> ReportFacts:
    """A regression with residuals."""
    targets, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    figures = {name: np.array([0.5, 0.64, 0.5]) for name in ("values", "low", "high")}
    found = NumberEvaluation(
        split="test",
        step=30,
        target_name="progress",
        names=("mae", "r2", "median_error"),
        **figures,
        resamples=np.array([100, 100, 100]),
        targets=targets,
        predicted=predicted,
        edges=np.array([-1.0, 0.0, 1.0]),
        counts=np.array([1, 2]),
    )
    experiment = spiral(data=Diabetes(), model=stack(linear(1)), loss=MeanSquaredError())
    return ReportFacts("Numbers", "b" * 32, experiment, 30, (curve(),), evaluation=found)
