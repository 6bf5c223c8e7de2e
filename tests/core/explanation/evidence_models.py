"""Trained models of which it is known what they look at: one at the red shape, one at the watermark of the circles."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from core.data.evidence import KnownEvidence
from core.data.preparation import Preparation
from core.experiment.examples import default_experiment
from core.experiment.experiment import Budget, Experiment
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import Subject
from core.explanation.integrated import IntegratedGradients
from core.models.model import build
from core.results.attribution import Attribution

FOLDER = Path(__file__).parents[2] / "data"
N_EXAMPLES = 4000
Learned = Literal["shape", "watermark"]


def evidence_experiment(learned: Learned) -> Experiment:
    """The ready experiment on known evidence, with a watermark on every circle or on none, and time to learn it."""
    shortcut = {"shape": 0.0, "watermark": 1.0}[learned]
    data = KnownEvidence(n_examples=N_EXAMPLES, shortcut=shortcut, preparation=Preparation(scaling="standardise"))
    return default_experiment("evidence").but(data=data, budget=Budget(epochs=30, patience=8), device="cpu")


def weights_file(learned: Learned) -> Path:
    return FOLDER / f"evidence_{learned}.safetensors"


def trained_model(learned: Learned) -> nn.Sequential:
    """The model with the weights of tools/train_evidence.py, in evaluation mode."""
    experiment = evidence_experiment(learned)
    model = build(experiment.model, experiment.data.profile().input_shape, experiment.seed)
    model.load_state_dict(load_file(weights_file(learned)))
    return model.eval()


def accuracy(model: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> float:
    with torch.inference_mode():
        return float((torch.cat([model(part) for part in x.split(200)]).argmax(1) == y).float().mean())


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def attribution_of(subject: Subject, values: np.ndarray, **changes: Any) -> Attribution:
    """An attribution with these values, as a method would give it."""
    drafted = Evaluations(subject, silent, 1).drafted(IntegratedGradients(), np.asarray(values))
    return replace(drafted, **changes)
