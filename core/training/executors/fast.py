"""Single networks, tuned: the reference's steps with less around them. For the CPU, and for CUDA where no graph can be had."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from core.experiment.experiment import Experiment
from core.optim.penalties import average_step
from core.optim.regularizers import average_of
from core.training.device import out_of_memory, seed_device
from core.training.executors.executor import Batch, BatchSource, ExecutorName, Series, mask_seed
from core.training.executors.fused import Update, fused_update
from core.training.executors.layout import fast_forward, to_channels_last
from core.training.executors.reference import Reference, Runner


class Fast(Reference):
    """One series after the other, each with gradients straight from autograd, a fused update, and a quick forward pass."""

    name: ClassVar[ExecutorName] = "fast"

    def __init__(self, experiment: Experiment, series: Sequence[Series], device: torch.device) -> None:
        super().__init__(experiment, series, device)
        self._experiment, self._device = experiment, device

    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[tuple[float, ...]]:
        """As in Executor.

        Raises:
            TrainingError: the memory of a GPU is not enough; the hint has a batch size that should fit.
        """
        try:
            return super().steps(source, first, n, is_measured=is_measured)
        except torch.OutOfMemoryError as error:
            raise out_of_memory(self._experiment, self._device) from error

    @staticmethod
    def supports(experiment: Experiment, series: Series, device: torch.device) -> str:
        """Nothing is too much for it: what has no quick way goes the reference's."""
        return ""

    @staticmethod
    def _runner(experiment: Experiment, series: Series, device: torch.device) -> "FastRunner":
        return FastRunner(experiment, series, device)


class FastRunner(Runner):
    """One series. Its first step, and each that is measured, is made by torch.optim; the others by the kernel alone, which
    gives the same bits on the same state."""

    def __init__(self, experiment: Experiment, series: Series, device: torch.device) -> None:
        to_channels_last(series.model)
        super().__init__(experiment, series, device)
        self.forward = fast_forward(series.model)
        self.is_plain = experiment.precision == "float32"
        self._layouts = [parameter.stride() for parameter in self.parameters]
        self._fused: Update | None = None

    def step(self, source: BatchSource, number: int, *, is_measured: bool = False) -> float:
        """As in Runner."""
        series = self.series
        if self._fused is None or is_measured:
            value = super().step(source, number, is_measured=is_measured)
            if self._fused is None and series.is_alive and self._is_short():
                self._fused = fused_update(self.optimizer)
            self.optimizer.zero_grad(set_to_none=True)
            return value
        if not series.is_alive:
            return math.nan
        batch = source.whole() if series.lane.optimizer.needs_whole_split else source.batch(series.repeat, number)
        if self.is_random:
            seed_device(self.device, mask_seed(self.experiment, series.repeat, number))
        loss = self._loss(batch)
        value = loss.item()
        if not math.isfinite(value):
            series.died_at = number
            return value
        self._fused(self._gradients(loss), series.rate(number))
        averaging = average_of(series.lane.regularizers)
        if averaging is not None and series.average is not None:
            average_step(averaging, series.average, series.model, number)
        return value

    def _is_short(self) -> bool:
        """Whether a batch goes through the model at once and every parameter gets a gradient that nothing changes."""
        has_all = all(parameter.grad is not None for parameter in self.parameters)
        is_bare = all(one.moment == "average" for one in self.series.lane.regularizers)
        return has_all and is_bare and self.experiment.accumulation == 1

    def _loss(self, batch: Batch) -> torch.Tensor:
        if self.is_plain:
            loss: torch.Tensor = self.loss(self.forward(batch[0]), batch[1])
        else:
            with self.context:
                loss = self.loss(self.forward(batch[0]).float(), batch[1])
        return loss

    def _gradients(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Of all parameters, in the memory layout of the parameters, which autograd does not promise here."""
        gradients = list(torch.autograd.grad(loss, self.parameters))
        for index, layout in enumerate(self._layouts):
            if gradients[index].stride() != layout:
                gradients[index] = torch.empty_like(self.parameters[index], requires_grad=False).copy_(gradients[index])
        return gradients

    def load(self, state: dict[str, Any]) -> None:
        """As in Runner."""
        super().load(state)
        self._fused = None
