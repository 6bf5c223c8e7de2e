"""The oracle of all executors: one model after the other, its own loss, backward and torch.optim, as in a textbook."""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import torch
from torch import nn

from core.experiment.experiment import Experiment
from core.optim.penalties import after_step, before_step
from core.training.device import seed_device
from core.training.executors.executor import Batch, BatchSource, ExecutorName, Measures, Series, mask_seed
from core.training.measures import score, score_sum


class Reference:
    """Plain loops over torch.optim: slow beside the others, and right."""

    name: ClassVar[ExecutorName] = "reference"

    def __init__(self, experiment: Experiment, series: Sequence[Series], device: torch.device) -> None:
        self.series = tuple(series)
        self._runners = [Runner(experiment, one, device) for one in self.series]

    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[tuple[float, ...]]:
        """As in Executor."""
        rows = []
        for number in range(first, first + n):
            measure = is_measured and number == first + n - 1
            rows.append(tuple(runner.step(source, number, is_measured=measure) for runner in self._runners))
        return rows

    def measures(self) -> Sequence[Measures]:
        """As in Executor."""
        return [runner.measures if runner.series.is_alive else Measures() for runner in self._runners]

    def runner(self, series: Series) -> "Runner":
        """The one that trains this series."""
        return self._runners[self.series.index(series)]

    def optimizer_state(self, series: Series) -> dict[str, Any]:
        """As in Executor."""
        state: dict[str, Any] = self.runner(series).optimizer.state_dict()
        return state

    def load_optimizer_state(self, series: Series, state: dict[str, Any]) -> None:
        """As in Executor."""
        self.runner(series).optimizer.load_state_dict(state)

    def retune(self, series: Series) -> None:
        """As in Executor."""
        self.runner(series).retune()

    def close(self) -> None:
        """Nothing to let go of."""


class Runner:
    """One series with its torch optimizer."""

    def __init__(self, experiment: Experiment, series: Series, device: torch.device) -> None:
        self.experiment = experiment
        self.series = series
        self.device = device
        self.loss = experiment.loss.build().to(device)
        self.parameters = [parameter for parameter in series.model.parameters() if parameter.requires_grad]
        self.optimizer = series.lane.optimizer.build(self.parameters, device.type)
        self.measures = Measures()
        self.is_random = any(draws_masks(module) for module in series.model.modules())
        self.context: AbstractContextManager[Any] = (
            torch.autocast(device.type, torch.bfloat16) if experiment.precision == "bfloat16" else nullcontext()
        )
        series.model.train()

    def step(self, source: BatchSource, number: int, *, is_measured: bool = False) -> float:
        """One optimizer step; the batch loss before it, NaN for a series that is not trained."""
        series = self.series
        if not series.is_alive:
            return math.nan
        batch = source.whole() if series.lane.optimizer.needs_whole_split else source.batch(series.repeat, number)
        if self.is_random:
            seed_device(self.device, mask_seed(self.experiment, series.repeat, number))
        value, output = self._loss_and_gradient(batch)
        if not math.isfinite(value):
            series.died_at = number
            return value
        self._update(number, output, batch[1], is_measured=is_measured)
        return value

    def _loss_and_gradient(self, batch: Batch) -> tuple[float, torch.Tensor]:
        """The batch loss, in float64, and the detached outputs; the gradients of its mean are in `.grad`.

        A batch in parts gives the gradient of the whole: each part counts by its share of the examples.
        """
        x, y = batch
        self.optimizer.zero_grad(set_to_none=True)
        total, outputs = 0.0, []
        size = math.ceil(len(y) / self.experiment.accumulation)
        for part_x, part_y in zip(x.split(size), y.split(size), strict=True):
            with self.context:
                output = self.series.model(part_x)
                loss = self.loss(output.float(), part_y)
            share = len(part_y) / len(y)
            value = loss.item()
            total += value * share if share < 1 else value
            outputs.append(output.detach())
            if not math.isfinite(total):
                break
            (loss * share if share < 1 else loss).backward()
        return total, torch.cat(outputs) if len(outputs) != 1 else outputs[0]

    def _update(self, number: int, output: torch.Tensor, y: torch.Tensor, *, is_measured: bool) -> None:
        series = self.series
        start = time.perf_counter()
        before = [parameter.detach().clone() for parameter in self.parameters] if is_measured else []
        gradient_norm = total_norm(parameter.grad for parameter in self.parameters) if is_measured else math.nan
        cost_s = time.perf_counter() - start
        rate = series.rate(number)
        set_rate(self.optimizer, rate)
        regularizers = series.lane.regularizers
        if regularizers:
            before_step(regularizers, self.parameters, rate)
        self.optimizer.step()
        if regularizers:
            after_step(regularizers, self.parameters)
        if is_measured:
            start = time.perf_counter()
            moved = total_norm(now.detach() - then for now, then in zip(self.parameters, before, strict=True))
            accuracy = score(score_sum(series.model, output, y), y)
            norm = total_norm(self.parameters)
            self.measures = Measures(gradient_norm, moved, norm, accuracy, cost_s + time.perf_counter() - start)

    def retune(self) -> None:
        """The numbers of `series.lane` into the optimizer."""
        arguments = self.series.lane.optimizer.arguments()
        for group in self.optimizer.param_groups:
            for name, value in arguments.items():
                if isinstance(group[name], torch.Tensor):
                    group[name].fill_(value)
                else:
                    group[name] = value


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def draws_masks(module: nn.Module) -> bool:
    """Whether a layer draws random numbers in training: dropout of its own (`p`), or inside recurrence or attention."""
    chances = (getattr(module, name, 0.0) for name in ("p", "dropout", "attention_dropout"))
    return any(isinstance(chance, float | int) and chance > 0 for chance in chances)


def total_norm(tensors: Iterable[torch.Tensor | None]) -> float:
    """L2 norm over all numbers of some tensors."""
    return nn.utils.get_total_norm([tensor.detach() for tensor in tensors if tensor is not None]).item()
