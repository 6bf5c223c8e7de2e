"""The oracle of all executors: one model after the other, its own loss, backward and torch.optim, as in a textbook."""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import nn

from core.experiment.experiment import Experiment
from core.optim.penalties import after_step, average_step, before_step
from core.optim.regularizers import L1, L2, RegularizerChoice, average_of
from core.training.device import autocast, seed_device
from core.training.executors.executor import Batch, BatchSource, ExecutorName, Measures, Series, mask_seed
from core.training.measures import score, score_sum


class Reference:
    """Plain loops over torch.optim: slow beside the others, and right."""

    name: ClassVar[ExecutorName] = "reference"

    def __init__(self, experiment: Experiment, series: Sequence[Series], device: torch.device) -> None:
        self.series = tuple(series)
        self._runners = [self._runner(experiment, one, device) for one in self.series]

    @staticmethod
    def _runner(experiment: Experiment, series: Series, device: torch.device) -> "Runner":
        return Runner(experiment, series, device)

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
        self.runner(series).load(state)

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
        self.context = autocast(experiment, device)
        self.forward: Callable[[torch.Tensor], torch.Tensor] = series.model
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
        if is_measured:
            self._measured_update(number, value, batch, output)
        else:
            self._update(number, value, batch)
        return value

    def _loss_and_gradient(self, batch: Batch) -> tuple[float, torch.Tensor]:
        """The batch loss, in float64, and the detached outputs; the gradients of its mean are in `.grad`.

        A batch in parts gives the gradient of the whole: each part counts by its share of the examples.
        """
        x, y = batch
        self.optimizer.zero_grad(set_to_none=True)
        total, outputs = 0.0, []
        size = math.ceil(len(y) / self.experiment.accumulation)
        for part_x, part_y in zip(torch.split(x, size), torch.split(y, size), strict=True):
            with self.context:
                output = self.forward(part_x)
                loss = self.loss(output if output.dtype == torch.float64 else output.float(), part_y)
            share = len(part_y) / len(y)
            value = loss.item()
            total += value * share if share < 1 else value
            outputs.append(output.detach())
            if not math.isfinite(total):
                break
            (loss * share if share < 1 else loss).backward()
        return total, torch.cat(outputs) if len(outputs) != 1 else outputs[0]

    def _measured_update(self, number: int, value: float, batch: Batch, output: torch.Tensor) -> None:
        start = time.perf_counter()
        before = [parameter.detach().clone() for parameter in self.parameters]
        gradient_norm = total_norm(parameter.grad for parameter in self.parameters)
        cost_s = time.perf_counter() - start
        self._update(number, value, batch)
        start = time.perf_counter()
        moved = total_norm(now.detach() - then for now, then in zip(self.parameters, before, strict=True))
        accuracy = score(score_sum(self.series.model, output, batch[1]), batch[1])
        norm = total_norm(self.parameters)
        self.measures = Measures(gradient_norm, moved, norm, accuracy, cost_s + time.perf_counter() - start)

    def _update(self, number: int, value: float, batch: Batch) -> None:
        """Change the weights by the gradients in `.grad`, with all that the lane's regularizers do."""
        series = self.series
        rate, regularizers = series.rate(number), series.lane.regularizers
        set_rate(self.optimizer, rate)
        if series.lane.optimizer.needs_closure:
            before_step([one for one in regularizers if one.moment == "decay"], self.parameters, rate)
            self.optimizer.step(self._closure(number, value, batch))
        else:
            if regularizers:
                before_step(regularizers, self.parameters, rate)
            self.optimizer.step()
        if regularizers:
            after_step(regularizers, self.parameters)
        averaging = average_of(regularizers)
        if averaging is not None and series.average is not None:
            average_step(averaging, series.average, series.model, number)

    def _closure(self, number: int, value: float, batch: Batch) -> Callable[[], float]:
        """What L-BFGS evaluates in its step: loss and penalties, with the same masks each time. Of the first evaluation, at the
        weights before the step, `value` and the gradients are there already."""
        regularizers = [one for one in self.series.lane.regularizers if one.moment in ("gradient", "clip")]
        known = [value]

        def evaluated() -> float:
            if known:
                loss = known.pop()
            else:
                if self.is_random:
                    seed_device(self.device, mask_seed(self.experiment, self.series.repeat, number))
                loss, _ = self._loss_and_gradient(batch)
            before_step(regularizers, self.parameters, 0.0)
            return loss + penalty(regularizers, self.parameters)

        return evaluated

    def load(self, state: dict[str, Any]) -> None:
        """An optimizer's state, in the memory layout of the weights: fused kernels take that for granted."""
        self.optimizer.load_state_dict(state)
        for parameter in self.parameters:
            slots = self.optimizer.state.get(parameter, {})
            for name, slot in slots.items():
                is_other = isinstance(slot, torch.Tensor) and slot.shape == parameter.shape
                if is_other and slot.stride() != parameter.stride():
                    slots[name] = torch.empty_like(parameter, requires_grad=False).copy_(slot)

    def retune(self) -> None:
        """The numbers of `series.lane` into the optimizer."""
        arguments = self.series.lane.optimizer.arguments()
        for group in self.optimizer.param_groups:
            for name in arguments.keys() & group.keys():
                if isinstance(group[name], torch.Tensor):
                    group[name].fill_(arguments[name])
                else:
                    group[name] = arguments[name]


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate of the next step."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], torch.Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


@torch.no_grad()
def penalty(regularizers: Sequence[RegularizerChoice], parameters: Sequence[torch.Tensor]) -> float:
    """What the penalties on the weights add to the loss: that whose gradient `before_step` adds."""
    total = 0.0
    for one in regularizers:
        match one:
            case L1():
                total += one.strength * sum(parameter.abs().sum().item() for parameter in parameters)
            case L2():
                total += one.strength / 2 * sum(parameter.square().sum().item() for parameter in parameters)
    return total


def draws_masks(module: nn.Module) -> bool:
    """Whether a layer draws random numbers in training: dropout of its own (`p`), or inside recurrence or attention."""
    chances = (getattr(module, name, 0.0) for name in ("p", "dropout", "attention_dropout"))
    return any(isinstance(chance, float | int) and chance > 0 for chance in chances)


def total_norm(tensors: Iterable[torch.Tensor | None]) -> float:
    """L2 norm over all numbers of some tensors."""
    return nn.utils.get_total_norm([tensor.detach() for tensor in tensors if tensor is not None]).item()
