"""What the training doctor sees of one series: gradients, updates and activations, layer by layer, on a few examples.

Everything runs in a copy of the model that only the doctor has: the live one keeps its gradients, mode, buffers and random
state.
"""

import copy
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from core.experiment.experiment import Experiment
from core.models.look import Context, Look
from core.models.model import infer
from core.models.output import predicted_classes
from core.models.stack import Path
from core.seeds import numpy_stream
from core.training.batches import ResidentData
from core.training.measures import chunk_size
from core.training.model_parts import Batch, Broken, Part, first_broken, parts_of

PROBE, JURY, VOTERS = 64, 512, 256
"""Training examples for gradients and activations, for units that never fire, and for classes that are never predicted."""
FLAT = 0.04
"""A squeezing unit is saturated by an example where its slope is below this share of the steepest: |tanh| > 0.98,
sigmoid outside 0.01 to 0.99; a softmax inside the network, where one number takes more than 0.99."""
SQUEEZING = ("Sigmoid", "Tanh", "Softmax", "LogSoftmax")


@dataclass(frozen=True, slots=True)
class LayerVitals:
    """One layer at one step. NaN where it has no such thing; norms are L2 over its matrices and kernels, biases left out."""

    path: Path
    name: str
    """As the screen names it: `Layer 3 Linear`."""
    kind: str
    weight_norm: float = math.nan
    gradient_norm: float = math.nan
    update_norm: float = math.nan
    """Of one step of the optimizer."""
    dead_share: float = math.nan
    """ReLU: share of units (features, channels) that gave zero for every example at every place."""
    saturated_share: float = math.nan
    """Sigmoid, Tanh, Softmax before the output: share of all units at all examples that sit where the curve is flat."""

    @property
    def update_ratio(self) -> float:
        """Size of one step over the size of the weights."""
        return self.update_norm / self.weight_norm if self.weight_norm > 0 else math.nan

    @property
    def gradient_ratio(self) -> float:
        """Size of the gradient over the size of the weights."""
        return self.gradient_norm / self.weight_norm if self.weight_norm > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Vitals:
    """All layers of one series after `step`, in the order of the stack."""

    step: int
    loss: float
    """Mean over the probe, in the unit of the experiment's loss."""
    layers: tuple[LayerVitals, ...]

    @property
    def weighted(self) -> tuple[LayerVitals, ...]:
        """Those with trained matrices or kernels."""
        return tuple(layer for layer in self.layers if not math.isnan(layer.weight_norm))


class Probe:
    """Looks at the series of one experiment, all of which have the same layers."""

    def __init__(self, experiment: Experiment, model: nn.Module, data: ResidentData, loss: nn.Module) -> None:
        self.body = copy.deepcopy(model).train()
        self.loss = loss
        for module in self.body.modules():  # no random masks: they would draw from the live run's stream
            for name in ("p", "dropout", "attention_dropout"):
                if isinstance(getattr(module, name, None), float | int):
                    setattr(module, name, 0.0)
        self.parts = parts_of(experiment.model.layers, self.body)
        self._weights = [pair for part in self.parts for pair in part.weights]
        profile = experiment.data.profile()
        inference = infer(experiment.model, profile.input_shape)
        look = Look(experiment.model, inference, 0, 0, Context(profile.n_classes))
        hidden = [part for part in self.parts if part.path[0] not in look.tail]
        self._watched = [part for part in hidden if part.layer.kind in ("ReLU", *SQUEEZING)]
        self._shares: dict[Path, torch.Tensor] = {}
        for part in self._watched:
            part.module.register_forward_hook(self._listener(part))
        self._chunk = chunk_size(inference, data.x.device.type)
        indices = torch.from_numpy(numpy_stream(experiment.seed, "probe").permutation(len(data))[:JURY]).to(data.x.device)
        part_size = math.ceil(experiment.batch(len(data)) / experiment.accumulation)
        self.examples: Batch = data.batch(indices[: min(PROBE, max(part_size, self._chunk // 2))])
        self.jury: Batch = data.batch(indices)

    def weights(self, model: nn.Module) -> dict[str, torch.Tensor]:
        """Copies of all trained matrices and kernels by name, for the size of the next step."""
        live = dict(model.named_parameters())
        return {name: live[name].detach().clone() for name, _ in self._weights}

    def vitals(self, model: nn.Module, step: int, before: dict[str, torch.Tensor] | None = None) -> Vitals:
        """A look at a model; `before` holds its weights one step earlier. Costs a pass forward and backward of 64 examples."""
        self._enter(model)
        x, y = self.examples
        loss = self.loss(self.body(x).float(), y)
        own = [weights for _, weights in self._weights]
        gradients = torch.autograd.grad(loss, own, allow_unused=True) if own else ()
        with torch.no_grad():
            moved = [weights - before[name] if before else None for name, weights in self._weights]
            sizes = [_size(one, loss) for row in (own, gradients, moved) for one in row]
            shares = [_unit_share(part, self._shares[part.path]) for part in self._watched]
            read = torch.stack([loss, *sizes, *shares]).tolist()  # one wait for the device
        n = len(own)
        norms = {name: read[1 + i :: n][:3] for i, (name, _) in enumerate(self._weights)}
        found = dict(zip([part.path for part in self._watched], read[1 + 3 * n :], strict=True))
        return Vitals(step, read[0], tuple(_layer_vitals(part, norms, found.get(part.path, math.nan)) for part in self.parts))

    def dead_shares(self, model: nn.Module) -> dict[Path, float]:
        """Share of dead units of each ReLU over the whole jury."""
        self._enter(model)
        dead: dict[Path, torch.Tensor] = {}
        with torch.no_grad():
            for x in torch.split(self.jury[0], self._chunk):
                self.body(x)
                for part in self._watched:
                    if part.layer.kind == "ReLU":
                        silent = self._shares[part.path] == 1
                        dead[part.path] = dead.get(part.path, silent) & silent
        return {path: silent.float().mean().item() for path, silent in dead.items()}

    def votes(self, model: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
        """Classes that a classifier gives 256 of the jury in evaluation mode, and the right ones; int64 (N,) on the CPU."""
        self._enter(model)
        self.body.eval()
        with torch.no_grad():
            parts = torch.split(self.jury[0][:VOTERS], self._chunk)
            said = torch.cat([predicted_classes(self.body, self.body(x)) for x in parts])
        self.body.train()
        return said.cpu(), self.jury[1][:VOTERS].cpu()

    def first_broken(self, model: nn.Module, batch: Batch) -> Broken | None:
        """As in core/training/model_parts.py."""
        self._enter(model)
        return first_broken(self.body, self.parts, self.loss, batch)

    def _enter(self, model: nn.Module) -> None:
        """Take the weights and buffers of a model into the body."""
        self.body.load_state_dict(model.state_dict())

    def _listener(self, part: Part) -> Any:
        def listen(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
            self._shares[part.path] = _still_share(part.layer.kind, output.detach())

        return listen


def _still_share(kind: str, values: torch.Tensor) -> torch.Tensor:
    """For each unit the share of examples and places at which it is zero (ReLU) or flat, (units,).

    Units are features (N, F) or (N, L, F), or channels (N, C, H, W). A softmax counts as one unit.
    """
    if kind in ("Softmax", "LogSoftmax"):
        top = values.amax(-1 if values.ndim == 3 else 1)
        return (top > (0.99 if kind == "Softmax" else math.log(0.99))).float().mean()[None]
    if kind == "ReLU":
        still = values == 0
    else:
        slope = 1 - values.square() if kind == "Tanh" else 4 * values * (1 - values)
        still = slope < FLAT
    axis = values.ndim - 1 if values.ndim == 3 else 1
    return still.float().mean([one for one in range(values.ndim) if one != axis])


def _unit_share(part: Part, still: torch.Tensor) -> torch.Tensor:
    """Share of dead units, or of saturated ones at the mean example."""
    return (still == 1 if part.layer.kind == "ReLU" else still).float().mean()


def _size(tensor: torch.Tensor | None, loss: torch.Tensor) -> torch.Tensor:
    return torch.full_like(loss, math.nan) if tensor is None else tensor.float().norm()


def _layer_vitals(part: Part, norms: dict[str, list[float]], share: float) -> LayerVitals:
    columns = zip(*(norms[name] for name, _ in part.weights), strict=True)
    weight, gradient, update = [math.hypot(*column) for column in columns] if part.weights else [math.nan] * 3
    dead, saturated = (share, math.nan) if part.layer.kind == "ReLU" else (math.nan, share)
    return LayerVitals(part.path, part.name, part.layer.kind, weight, gradient, update, dead, saturated)
