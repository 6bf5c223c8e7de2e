"""Recorded steps, for CUDA: some microseconds of Python for many steps in place of half a millisecond for each."""

import importlib
import math
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from core.experiment.experiment import Experiment
from core.optim.regularizers import average_of
from core.training.device import out_of_memory
from core.training.executors.captured_graph import CudaGraphs, Recorder
from core.training.executors.captured_step import CapturedRunner, is_capturable
from core.training.executors.executor import BatchSource, ExecutorName, Measures, Series
from core.training.executors.fused import MAKES


class Captured:
    """Replays of recorded steps, one series after the other in the device's queue. What no recording can hold, Fast makes.

    Losses stay on the device until the call's last step, and leave in one copy.

    Args:
        recorders: ways to record; with more than one each is measured, and the fastest taken.
    """

    name: ClassVar[ExecutorName] = "captured"

    def __init__(
        self,
        experiment: Experiment,
        series: Sequence[Series],
        device: torch.device,
        recorders: Sequence[Recorder] = (CudaGraphs(),),
    ) -> None:
        self.series = tuple(series)
        self._experiment, self._device = experiment, device
        self._runners = [CapturedRunner(experiment, one, device, recorders) for one in self.series]

    @staticmethod
    def supports(experiment: Experiment, series: Series, device: torch.device) -> str:
        """Why it cannot train this series; empty if it can."""
        optimizer = series.lane.optimizer
        module, name = optimizer.torch_class.split(":")
        cls = getattr(importlib.import_module(module), name)
        if device.type != "cuda":
            return "steps are recorded on CUDA alone"
        if experiment.accumulation > 1:
            return "a step in parts is not recorded"
        has_kernel = cls in MAKES and device.type in optimizer.fused_devices
        if optimizer.needs_closure or not (has_kernel or is_capturable(cls)):
            return f"{optimizer.label} looks at numbers of its state in Python"
        if average_of(series.lane.regularizers) is not None:
            return "the average of the weights depends on the number of the step"
        return ""

    def steps(self, source: BatchSource, first: int, n: int, *, is_measured: bool = False) -> list[tuple[float, ...]]:
        """As in Executor.

        Raises:
            TrainingError: the device's memory is not enough; the hint has a batch size that should fit.
        """
        was_alive = [one.is_alive for one in self.series]
        told = torch.full((len(self.series), n), math.nan, device=self._device)
        try:
            for row, runner in zip(told, self._runners, strict=True):
                runner.run(source, first, row, is_measured=is_measured)
        except torch.OutOfMemoryError as error:
            raise out_of_memory(self._experiment, self._device) from error
        losses = fetched(told)
        for one, row, lived in zip(self.series, losses, was_alive, strict=True):
            self._bury(one, row, first, lived=lived)
        return list(zip(*losses, strict=True))

    @staticmethod
    def _bury(series: Series, losses: list[float], first: int, *, lived: bool) -> None:
        """Note the first loss that was not finite; what comes after it was not trained."""
        place = next((place for place, loss in enumerate(losses) if not math.isfinite(loss)), None)
        if not lived or place is None:
            return
        series.died_at = first + place
        losses[place + 1 :] = [math.nan] * (len(losses) - place - 1)

    def measures(self) -> Sequence[Measures]:
        """As in Executor."""
        return [runner.measures if runner.series.is_alive else Measures() for runner in self._runners]

    def runner(self, series: Series) -> CapturedRunner:
        """The one that trains this series."""
        return self._runners[self.series.index(series)]

    def reasons(self) -> tuple[str, ...]:
        """For each series why its steps are not recorded; empty where they are."""
        return tuple(runner.reason for runner in self._runners)

    def optimizer_state(self, series: Series) -> dict[str, Any]:
        """As in Executor: as if the optimizer had never been recorded."""
        state = self.runner(series).optimizer.state_dict()
        groups = [group | ({"lr": float(group["lr"])}) for group in state["param_groups"]]
        if any(group.get("capturable") for group in groups):
            groups = [group | {"capturable": False} for group in groups]
            counts = {
                key: slots | {"step": slots["step"].cpu()} if "step" in slots else slots
                for key, slots in state["state"].items()
            }
            return state | {"state": counts, "param_groups": groups}
        return state | {"param_groups": groups}

    def load_optimizer_state(self, series: Series, state: dict[str, Any]) -> None:
        """As in Executor."""
        self.runner(series).load(state)

    def retune(self, series: Series) -> None:
        """As in Executor."""
        self.runner(series).retune()

    def close(self) -> None:
        """As in Executor."""
        for runner in self._runners:
            runner.forget()


def fetched(told: torch.Tensor) -> list[list[float]]:
    """Numbers of the device, by one copy into pinned memory: the only moment at which Python waits for it."""
    if told.device.type != "cuda":
        return told.tolist()
    host = torch.empty(told.shape, dtype=told.dtype, pin_memory=True)
    host.copy_(told, non_blocking=True)
    done = torch.cuda.Event()  # type: ignore[no-untyped-call]
    done.record()
    done.synchronize()
    return host.tolist()
