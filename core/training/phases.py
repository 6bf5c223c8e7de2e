"""One step in four phases, by hand: forward, loss, backward, update. Looks at a copy; the executor makes the step itself."""

import copy
from collections.abc import Iterable
from typing import Literal

import numpy as np
import torch
from torch import nn

from core.events import PhaseDone, TensorView
from core.models.model import layer_name
from core.training.device import autocast, seed_device
from core.training.executors.executor import mask_seed
from core.training.live_run import LiveRun
from core.types import shape_text

Phase = Literal["forward", "loss", "backward", "update"]
PHASES: tuple[Phase, ...] = ("forward", "loss", "backward", "update")
MAX_VALUES = 1024
MAX_TENSORS = 64


class PhaseStepper:
    """The phases of one step of the first living series. The numbers are those of the step: same weights, batch and masks."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._series = next(one for one in run.series if one.is_alive)
        self._number = run.step + 1
        self._model = copy.deepcopy(self._series.model)
        for parameter in self._model.parameters():
            parameter.grad = None
        self._next = 0
        self._loss: torch.Tensor | None = None
        self._output: torch.Tensor | None = None
        self._y: torch.Tensor | None = None

    @property
    def next_phase(self) -> Phase:
        """The phase that comes next."""
        return PHASES[self._next]

    def look(self) -> PhaseDone:
        """Do the next of the first three phases, on the copy."""
        phase = self.next_phase
        done = {"forward": self._forward, "loss": self._losses, "backward": self._backward}[phase]()
        self._next += 1
        return done

    def updated(self) -> PhaseDone:
        """What the step has changed; call it once the run has made it."""
        before = dict(self._model.named_parameters())
        named = [(name, parameter) for name, parameter in self._series.model.named_parameters() if parameter.requires_grad]
        changes = [(self._said(name), (now.detach() - before[name].detach())) for name, now in named]
        size = torch.cat([change.flatten() for _, change in changes]).norm().item() if changes else 0.0
        rate = self._series.rate(self._number)
        text = f"{self._series.lane.optimizer.label} moves all weights together by {size:.4g}, with learning rate {rate:.4g}."
        return PhaseDone(self._number, "update", text, _views((f"change of {name}", change) for name, change in changes))

    def _forward(self) -> PhaseDone:
        run, series = self._run, self._series
        whole = series.lane.optimizer.needs_whole_split
        x, y = run.source.whole() if whole else run.source.batch(series.repeat, self._number)
        seed_device(run.device, mask_seed(run.experiment, series.repeat, self._number))
        self._model.train()
        seen: list[tuple[str, torch.Tensor]] = [("input", x)]
        value = x
        with autocast(run.experiment, run.device):
            for name, layer in self._model.named_children():
                value = layer(value)
                seen.append((f"{_layer(run, int(name))} output", value))
        self._output, self._y = value, y
        shapes = [shape_text(tuple(tensor.shape)) for tensor in (x, value)]
        text = f"{len(y):,} examples pass the network: {shapes[0]} becomes {shapes[1]}."
        return PhaseDone(self._number, "forward", text, _views(seen))

    def _losses(self) -> PhaseDone:
        if self._output is None or self._y is None:
            raise RuntimeError("the forward phase comes first")
        self._loss = self._run.loss(self._output.float(), self._y)
        with torch.no_grad():
            each = [self._run.loss(self._output[i : i + 1].float(), self._y[i : i + 1]) for i in range(min(len(self._y), 256))]
        name, unit = self._run.experiment.loss.label, self._run.experiment.loss.unit
        text = f"{name}: the mean over the batch is {self._loss.item():.6g} {unit}."
        tensors = [("targets", self._y), ("loss of each example", torch.stack(each))]
        return PhaseDone(self._number, "loss", text, _views(tensors))

    def _backward(self) -> PhaseDone:
        if self._loss is None:
            raise RuntimeError("the loss phase comes first")
        torch.autograd.backward(self._loss)
        named = [(name, parameter.grad) for name, parameter in self._model.named_parameters() if parameter.grad is not None]
        size = nn.utils.get_total_norm([gradient for _, gradient in named]).item()
        text = f"The gradient of the loss, for {sum(g.numel() for _, g in named):,} weights, is {size:.4g} long."
        return PhaseDone(self._number, "backward", text, _views((f"gradient of {self._said(name)}", g) for name, g in named))

    def _said(self, parameter: str) -> str:
        """`0.weight` as `1 Linear weight`."""
        index, _, rest = parameter.partition(".")
        return f"{_layer(self._run, int(index))} {rest}"


def _layer(run: LiveRun, index: int) -> str:
    return layer_name(run.experiment.model.layers, (index,))


def _views(named: Iterable[tuple[str, torch.Tensor]]) -> tuple[TensorView, ...]:
    return tuple(tensor_view(name, tensor) for name, tensor in list(named)[:MAX_TENSORS])


def tensor_view(name: str, tensor: torch.Tensor) -> TensorView:
    """A look at one tensor: all of its statistics, and its first values in memory order."""
    values = tensor.detach().cpu().double()
    first: np.ndarray = values.flatten()[:MAX_VALUES].float().numpy()
    low, high = (values.min().item(), values.max().item()) if values.numel() else (0.0, 0.0)
    mean = values.mean().item() if values.numel() else 0.0
    return TensorView(name, tuple(values.shape), low, high, mean, values.norm().item(), first.astype("<f4").tobytes())
