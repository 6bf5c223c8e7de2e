"""The lens jobs on weights: as pictures, as neurons and lines, and over all kept moments of a run."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from core.data.plane import SPAN, Plane
from core.data.prepare import model_points
from core.errors import NotApplicable, SpecError
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.inspection.filters import layers_with_weights
from core.inspection.responses import columns, reason_against
from core.jobs.job import ArtifactRef, Desk
from core.jobs.lenses import LensJob, WeightsJob, loaded
from core.models.model import infer
from core.models.stack import Path
from core.results.responses import NeuronResponses
from core.settings import Settings

if TYPE_CHECKING:
    from torch import nn

MAX_PARAMETERS = 20_000_000
"""Weights of a model over time: with gradients, optimizer and copies each takes about 40 bytes."""
SIDE = 50
"""Places along each side of a response map."""


def weight_layers(experiment: Experiment) -> tuple[tuple[Path, str], ...]:
    """Path and name of every layer that has weights to look at."""
    return layers_with_weights(experiment.model, experiment.data.profile().input_shape)


def reason_against_neurons(experiment: Experiment) -> str:
    """Why the net is not drawn as neurons and lines; "" where it is."""
    return reason_against(experiment.model, experiment.data.profile().input_shape)


class FiltersJob(WeightsJob):
    """The weights of one layer as pictures."""

    kind: Literal["filters"] = "filters"
    label = "Filters"
    layer: Annotated[tuple[int, ...], Field(min_length=1, max_length=9)] = (0,)
    """Path of the layer."""
    tensor: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Which of its matrices and kernels."""

    def check(self, settings: Settings) -> None:
        """Refuses layers that are not there or have no weights."""
        super().check(settings)
        if self.layer not in dict(weight_layers(self.experiment)):
            raise SpecError("This layer has no weights to look at.", hint="Choose another layer.")

    def result(self, desk: Desk) -> Any:
        from core.inspection.filters import filters
        from core.inspection.gradient_flow import own_parameters
        from core.training.model_parts import parts_of

        model, step = self.model(desk)
        profile = self.experiment.data.profile()
        parts = parts_of(self.experiment.model.layers, model)
        place = [part.path for part in parts].index(self.layer)
        own = [(name, one) for name, one in own_parameters([part.module for part in parts])[place] if one.ndim > 1]
        if self.tensor >= len(own):
            raise SpecError(f"This layer has no weights number {self.tensor}.", hint=f"It has {len(own)}.")
        name, weight = own[self.tensor]
        found = filters(weight, f"{parts[place].name}: {name}", step, self.experiment.model, self.layer, profile.input_shape)
        names = profile.feature_names if found.form == "matrix" and found.is_of_input else ()
        fits = len(names) == found.weights.shape[1]
        return replace(found, tensors=tuple(name for name, _ in own), input_names=names if fits else ())


class NeuronsJob(WeightsJob):
    """The neurons of a small net: weights between them, and what each answers to every place of the plane."""

    kind: Literal["neurons"] = "neurons"
    label = "Neurons"

    def check(self, settings: Settings) -> None:
        """Refuses nets that are too large, or of other layers."""
        super().check(settings)
        if reason := reason_against_neurons(self.experiment):
            raise NotApplicable(reason, hint="Look at the weights as pictures.")

    def result(self, desk: Desk) -> Any:
        model, step = self.model(desk)
        profile, layers = self.experiment.data.profile(), self.experiment.model.layers
        parts = columns(self.experiment.model)
        linears: list[nn.Linear] = [model[part[0]] for part in parts[1:]]  # type: ignore[misc]
        bias = [np.zeros(one.out_features, np.float32) if one.bias is None else one.bias.detach().numpy() for one in linears]
        rest = [parts[0], *(part[1:] for part in parts[1:])]
        names = profile.feature_names or tuple(f"input {i + 1}" for i in range(profile.input_shape[0]))
        outputs = profile.class_names if profile.task == "classification" else (profile.target_name,)
        return NeuronResponses(
            labels=("Input", *("Linear" for _ in linears)),
            places=(-1, *(part[0] for part in parts[1:])),
            after=tuple(" · ".join(layers[index].kind for index in one) for one in rest),
            input_names=names,
            output_names=outputs if len(outputs) == linears[-1].out_features else (),
            weights=tuple(one.weight.detach().float().numpy().copy() for one in linears),
            biases=tuple(np.array(one, np.float32) for one in bias),
            responses=self._responses(model),
            span=SPAN,
            step=step,
        )

    def _responses(self, model: "nn.Sequential") -> tuple[np.ndarray, ...]:
        import torch

        from core.inspection.responses import responses
        from core.training.plane import plane_grid

        data = self.experiment.data
        if not isinstance(data, Plane):
            return ()
        splits = loaded(data, self.experiment.seed)
        grid = model_points(splits, data.preparation, data.features_of(plane_grid(SIDE, SPAN)))
        return responses(model, torch.from_numpy(grid), self.experiment.model, SIDE)


class WeightsOverTimeJob(LensJob):
    """Histograms of weights, gradients and activations of every layer, and the optimizer's next step, at the kept moments."""

    kind: Literal["weights_over_time"] = "weights_over_time"
    label = "Weights and gradients over time"
    experiment: Experiment
    """With the lanes that joined by hand."""
    checkpoints: Annotated[tuple[ArtifactRef, ...], Field(min_length=1, max_length=2_000)]
    """Of one run, in order of steps. Of many, some are looked at, evenly spread."""
    series: Annotated[int, Field(ge=0, le=511)] = 0

    def check(self, settings: Settings) -> None:
        """Refuses a series that is not there, and models that do not fit together."""
        checked(self.experiment, settings)
        n = len(self.experiment.lanes) * self.experiment.repeats
        if self.series >= n:
            raise SpecError(f"There is no series {self.series}.", hint=f"They are numbered 0 to {n - 1}.")
        inference = infer(self.experiment.model, self.experiment.data.profile().input_shape)
        size = inference.n_parameters + inference.n_frozen
        if size > MAX_PARAMETERS:
            raise NotApplicable(
                f"This model has {size:,} weights; over time up to {MAX_PARAMETERS:,} are looked at.",
                hint="Look at its weights as pictures, one moment at a time.",
            )

    def result(self, desk: Desk) -> Any:
        from core.jobs.weights_over_time import weights_over_time

        return weights_over_time(self.experiment, self.checkpoints, self.series, desk)
