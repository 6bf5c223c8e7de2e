"""A stack of layers for many networks at once: which stacks can be, and how a batch runs through."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor, nn
from torch.nn import functional

from core.experiment.experiment import Experiment
from core.experiment.fairness import MASKS
from core.models.layers.activation import Activation, OverClasses, PReLU
from core.models.layers.linear import Linear
from core.models.layers.regularization import BatchNorm1d, Dropout, LayerNorm
from core.models.layers.shape import Flatten
from core.models.model import infer
from core.training.device import seed_device
from core.training.executors import stacked_layers as stacked
from core.training.executors.executor import Batch, Series, mask_seed
from core.training.executors.stacked_losses import stacked_loss
from core.training.executors.stacked_memory import StackedMemory
from core.types import Shape


def missing_layer(experiment: Experiment, input_shape: Shape) -> str:
    """What keeps this stack from being trained as one network, in words; "" if nothing does."""
    layers, infos = experiment.model.layers, infer(experiment.model, input_shape).layers
    for layer, info in zip(layers, infos, strict=True):
        is_flat = info.in_shape is not None and len(info.in_shape) == 1
        if isinstance(layer, PReLU) or not isinstance(
            layer, Linear | Flatten | Activation | OverClasses | Dropout | BatchNorm1d | LayerNorm
        ):
            return f"{layer.label} has no stacked form"
        if isinstance(layer, LayerNorm | OverClasses) and not is_flat:
            return f"{layer.label} has a stacked form for flat vectors alone"
    return "" if any(isinstance(layer, Linear) for layer in layers) else "it has no Linear layer"


def missing_trained_layer(experiment: Experiment, input_shape: Shape) -> str:
    """As `missing_layer`, where frozen layers come first: these can be any, up to the first whose weights are trained. They are
    the same for all lanes of a repeat, so that each batch goes through them once."""
    if not experiment.frozen:
        return missing_layer(experiment, input_shape)
    layers, first = experiment.model.layers, first_trained(experiment, input_shape)
    for index, layer in enumerate(layers[:first]):
        is_random = any(isinstance(chance := getattr(layer, name, 0.0), float) and chance > 0 for name in MASKS)
        if is_random and index not in experiment.frozen and not isinstance(layer, Dropout):
            return f"{layer.label} before a trained layer has no stacked form"
    infos = infer(experiment.model, input_shape).layers
    if any(index > first and infos[index].n_parameters for index in experiment.frozen):
        return "a frozen layer behind one that is trained has no stacked form"
    shape = infos[first].in_shape if first < len(layers) else None
    if shape is None:
        return "nothing is trained"
    return missing_layer(experiment.but(model=experiment.model.but(layers=layers[first:]), frozen=()), shape)


def first_trained(experiment: Experiment, input_shape: Shape) -> int:
    """The place of the first layer with weights that are trained; the number of layers where there is none."""
    infos = infer(experiment.model, input_shape).layers
    trained = (i for i, info in enumerate(infos) if i not in experiment.frozen and info.n_parameters)
    return next(trained, len(infos))


@dataclass(slots=True)
class Mask:
    """A Dropout layer: the shape of its input without the batch axis, and where its mask goes behind the lead-in."""

    p: float
    shape: Shape
    layer: stacked.Dropout | None


class StackedNetwork:
    """The networks of `series`, whose weights are in `memory`, a row each."""

    def __init__(self, experiment: Experiment, series: Sequence[Series], memory: StackedMemory, input_shape: Shape) -> None:
        self.experiment = experiment
        self.memory = memory
        self.device = memory.weights[0].device
        self.repeats = sorted({one.repeat for one in series})
        self._places = [self.repeats.index(one.repeat) for one in series]
        self.row_repeats = torch.tensor(self._places, device=self.device)
        self.lead_in: list[nn.Module | Mask | list[nn.Module]] = []
        """A list has a module for each repeat: a frozen layer."""
        self.layers: list[stacked.StackedLayer] = []
        self.masks: list[Mask] = []
        self.loss = stacked_loss(experiment.loss, is_small=memory.is_one_block)
        self._ones: dict[tuple[int, ...], Tensor] = {}
        self._leads = [series[self._places.index(place)].model for place in range(len(self.repeats))]
        self._build([one.model for one in series], input_shape)

    def _build(self, models: Sequence[nn.Module], input_shape: Shape) -> None:
        numbers = count()
        frozen = set(self.experiment.frozen)
        first = first_trained(self.experiment, input_shape)
        infos = infer(self.experiment.model, input_shape).layers
        for index, (layer, info) in enumerate(zip(self.experiment.model.layers, infos, strict=True)):
            module = models[0].get_submodule(str(index))
            if index < first and (index in frozen or info.n_frozen):
                self.lead_in.append([model.get_submodule(str(index)) for model in self._leads])
                continue
            own = [next(numbers) for _ in module.parameters()]
            if isinstance(layer, Dropout) and index in frozen:
                continue
            if isinstance(layer, Dropout):
                self._add_mask(layer.p, info.in_shape or ())
            elif own:
                self.layers.append(self._weighted(layer, index, own, models))
            elif not self.layers:
                self.lead_in.append(module)
            elif not isinstance(layer, Flatten):
                self.layers.append(stacked.activation(module))

    def _add_mask(self, p: float, shape: Shape) -> None:
        if p == 0:
            return
        mask = Mask(p, shape, stacked.Dropout() if self.layers else None)
        self.masks.append(mask)
        if mask.layer is None:
            self.lead_in.append(mask)
        else:
            self.layers.append(mask.layer)

    def _weighted(self, layer: object, index: int, own: Sequence[int], models: Sequence[nn.Module]) -> stacked.StackedLayer:
        weights = [self.memory.weights[number] for number in own]
        if isinstance(layer, BatchNorm1d):
            names = ("running_mean", "running_var", "num_batches_tracked")
            buffers = [self.memory.buffers(models, f"{index}.{name}") for name in names]
            norm = stacked.BatchNorm1d if self.memory.is_one_block else stacked.LargeBatchNorm1d
            return norm(weights, buffers, layer.momentum, layer.eps)
        if isinstance(layer, LayerNorm):
            return stacked.LayerNorm(weights, layer.eps)
        if self.memory.is_one_block:
            return stacked.Linear(weights, None)
        targets = [self.memory.gradients[number] for number in own]
        return stacked.LargeLinear(weights, targets, None if self.layers else self._places)

    def forward(self, batches: Sequence[Batch], number: int) -> tuple[Tensor, Tensor, Callable[[], Tensor]]:
        """Outputs (S, B, K), losses (S,), and what gives the gradient of the losses at the outputs.

        Args:
            batches: one for each of `repeats`.
            number: of the step, for the dropout masks.
        """
        x = self._start([x for x, _ in batches], number)
        for layer in self.layers:
            x = layer.forward(x)
        losses, gradient = self.loss(x, self.targets(batches))
        return x, losses, gradient

    def targets(self, batches: Sequence[Batch]) -> Tensor:
        """(1, B, ...) where all networks have the same, else (S, B, ...)."""
        if len(batches) == 1:
            return batches[0][1].unsqueeze(0)
        return torch.stack([y for _, y in batches]).index_select(0, self.row_repeats)

    def backward(self, dy: Tensor) -> None:
        """The gradients of all weights, in the memory's blocks, from those of the losses at the outputs."""
        first = self.layers[0]
        for layer in reversed(self.layers[1:]):
            dy = layer.backward(dy)
        if isinstance(first, stacked.Linear):
            first.last(dy)
        else:
            first.backward(dy)
        if self.memory.is_one_block:
            rows = len(dy)
            parts = [part.view(rows, -1) for layer in self.layers for part in layer.gradients]
            torch.cat(parts, 1, out=self.memory.blocks[0][1])
            return
        at = iter(self.memory.gradients)
        for layer in self.layers:
            for part in layer.gradients:
                target = next(at)
                if part is not target:
                    target.copy_(part)

    def _start(self, inputs: list[Tensor], number: int) -> Tensor:
        """What the first layer with weights gets, (R, B, F) for a LargeLinear, else (S, B, F)."""
        masks = [self._drawn(repeat, number, len(inputs[0])) for repeat in self.repeats] if self.masks else []
        for index, mask in enumerate(self.masks):
            if mask.layer is not None:
                each = torch.stack([drawn[index] for drawn in masks])
                mask.layer.mask = each if len(each) == 1 else each.index_select(0, self.row_repeats)
        for step in self.lead_in:
            if isinstance(step, Mask):
                index = self.masks.index(step)
                inputs = [x * drawn[index] for x, drawn in zip(inputs, masks, strict=True)]
            elif isinstance(step, list):
                inputs = [module(x) for module, x in zip(step, inputs, strict=True)]
            else:
                inputs = [step(x) for x in inputs]
        shared = inputs[0].unsqueeze(0) if len(inputs) == 1 else torch.stack(inputs)
        if isinstance(self.layers[0], stacked.LargeLinear):
            return shared
        return shared.expand(len(self.row_repeats), -1, -1) if len(inputs) == 1 else shared.index_select(0, self.row_repeats)

    def _drawn(self, repeat: int, number: int, n_examples: int) -> list[Tensor]:
        """The masks of one repeat, as its networks would draw them one after the other."""
        seed_device(self.device, mask_seed(self.experiment, repeat, number))
        return [functional.dropout(self._one((n_examples, *mask.shape)), mask.p) for mask in self.masks]

    def _one(self, shape: tuple[int, ...]) -> Tensor:
        if shape not in self._ones:
            self._ones[shape] = torch.ones(shape, device=self.device)
        return self._ones[shape]
