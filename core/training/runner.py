"""One lane of one repeat: its model, its optimizer, and its step."""

import math
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from core.experiment.experiment import Experiment
from core.models.model import build
from core.seeds import stream_seed
from core.training.device import seed_device
from core.training.measures import score, score_sum


class Runner:
    """A model with its optimizer. Lanes of one repeat start from equal weights and draw equal dropout masks."""

    def __init__(self, experiment: Experiment, lane: int, repeat: int, device: torch.device) -> None:
        profile = experiment.data.profile()
        self.lane = lane
        self.repeat = repeat
        self.device = device
        self.model = build(experiment.model, profile.input_shape, experiment.seed, repeat).to(device)
        self.loss = experiment.loss.build().to(device)
        self.parameters = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = experiment.lanes[lane].optimizer.build(self.parameters, device.type)
        self.died_at = -1
        """The step of the first loss that was not finite; -1 while there was none."""
        self.accuracy = math.nan
        """Of the last measured batch, in [0, 1]; for regression its R²."""
        self.gradient_norm = math.nan
        self.measuring_s = 0.0
        self._mask_seed = stream_seed(experiment.seed, "dropout", repeat)
        self._is_random = any(draws_masks(module) for module in self.model.modules())
        self._context: AbstractContextManager[Any] = (
            torch.autocast(device.type, torch.bfloat16) if experiment.precision == "bfloat16" else nullcontext()
        )
        self.model.train()

    @property
    def is_alive(self) -> bool:
        return self.died_at < 0

    @property
    def n_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters)

    def step(self, x: torch.Tensor, y: torch.Tensor, number: int, *, is_measured: bool = False) -> float:
        """One optimizer step; the batch loss before it. A loss that is not finite leaves weights and optimizer untouched."""
        if self._is_random:
            seed_device(self.device, (self._mask_seed + number) % 2**63)
        with self._context:
            output = self.model(x)
            loss = self.loss(output.float(), y)
        value: float = loss.item()
        if not math.isfinite(value):
            self.died_at = number
            return value
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if is_measured:
            self._measure(output.detach(), y)
        self.optimizer.step()
        return value

    @property
    def weight_norm(self) -> float:
        """L2 norm over all parameters."""
        return total_norm(self.parameters)

    def _measure(self, output: torch.Tensor, y: torch.Tensor) -> None:
        start = time.perf_counter()
        self.accuracy = score(score_sum(self.model, output, y), y)
        self.gradient_norm = total_norm(parameter.grad for parameter in self.parameters)
        self.measuring_s = time.perf_counter() - start

    def set_hyper(self, name: str, value: float) -> None:
        """Change one number of the optimizer from the next step on."""
        for group in self.optimizer.param_groups:
            if name in ("beta1", "beta2"):
                first, second = group["betas"]
                group["betas"] = (value, second) if name == "beta1" else (first, value)
            elif isinstance(group[name], torch.Tensor):
                group[name].fill_(value)
            else:
                group[name] = value


def draws_masks(module: nn.Module) -> bool:
    """Whether a layer draws random numbers in training: dropout of its own (`p`), or inside recurrence or attention."""
    chances = (getattr(module, name, 0.0) for name in ("p", "dropout", "attention_dropout"))
    return any(isinstance(chance, float | int) and chance > 0 for chance in chances)


def total_norm(tensors: Iterable[torch.Tensor | None]) -> float:
    """L2 norm over all numbers of some tensors."""
    return nn.utils.get_total_norm([tensor.detach() for tensor in tensors if tensor is not None]).item()
