"""The learning-rate range test: the rate grows step by step until training breaks; the curve says which rates to try."""

import math

import numpy as np
import torch

from core.data.dataset import Splits
from core.experiment.experiment import Experiment, Lane
from core.experiment.rates import described, lane_for_range_test
from core.models.model import infer
from core.optim.regularizers import L2
from core.optim.schedules import Clock
from core.results.range_test import RangeTest
from core.seeds import numpy_stream
from core.training.batch_source import RunBatches
from core.training.batches import ResidentData
from core.training.beginnings import Beginnings, missing
from core.training.device import resolved_device
from core.training.executors.executor import Series
from core.training.executors.reference import Reference
from core.training.sharpness import MAX_PRODUCTS, sample_size, sharpness
from core.types import Report

LOWEST_RATE, HIGHEST_RATE, DECADES = 1e-7, 10.0, 8
FEW_STEPS, SOME_STEPS, MANY_STEPS = 161, 401, 801
"""20, 50 or 100 for each power of ten. Losses of small batches are noisy, but their steps are cheap."""
DIVERGED = 4.0
"""The test ends when the smoothed loss is so many times its lowest."""
SURE = 3.3
"""A slope must be so many times its standard error: of the steepest of many windows of noise alone, one in a hundred is."""


def default_steps(batch: int) -> int:
    """How many steps give a curve that can be read, with batches of this size."""
    return FEW_STEPS if batch >= 128 else SOME_STEPS if batch >= 32 else MANY_STEPS


def range_test(
    experiment: Experiment,
    lane: int = 0,
    *,
    steps: int | None = None,
    splits: Splits | None = None,
    origin: bytes | None = None,
    report: Report = lambda done, total: None,
) -> RangeTest:
    """Train one lane from the weights that it begins with on the run's own batches, the learning rate growing from 1e-7 to 10.

    The optimizer and what holds its weights back are the lane's; its schedule is left out. Before it, the curvature at the
    initial weights is taken, which costs up to 60 Hessian-vector products over a sample of the training split.

    Args:
        steps: from the lowest rate to the highest; None for `default_steps`.
        origin: the checkpoint that `experiment.origin` names. The test begins without optimizer state.
        report: called after every step with (steps done, steps in all).

    Raises:
        SpecError: there is no such lane, or its optimizer does not follow a changed learning rate.
        MissingData: the checkpoint that the experiment starts from is not there.

    Source:
        Smith 2017, "Cyclical learning rates for training neural networks", section 3.3.
    """
    chosen = lane_for_range_test(experiment, lane)
    splits = splits or experiment.data.splits(experiment.seed)
    device = resolved_device(experiment.device)
    data = ResidentData(splits, splits.train, device)
    source = RunBatches(experiment, splits, data)
    if experiment.origin is not None and origin is None:
        raise missing(experiment.origin)
    model = Beginnings(experiment, splits.profile.input_shape, device, origin).model(0)
    steps = steps or default_steps(source.size)
    total = steps + MAX_PRODUCTS
    n_examples = sample_size(infer(experiment.model, splits.profile.input_shape), len(data))
    sample = numpy_stream(experiment.seed, "probe").choice(len(data), n_examples, replace=False)
    batch = data.batch(torch.from_numpy(sample).to(device))
    curvature = sharpness(model, experiment.loss.build(), batch, lambda done, _: report(done, total)).value
    report(MAX_PRODUCTS, total)
    series = Series(0, lane, 0, chosen, model, Clock(source.steps_per_epoch, steps))
    executor = Reference(experiment, (series,), device)
    try:
        curve = _Curve(steps)
        for number, rate in enumerate(np.geomspace(LOWEST_RATE, HIGHEST_RATE, steps), 1):
            series.plateau_factor = float(rate) / chosen.optimizer.lr
            loss = executor.steps(source, number, 1)[0][0]
            report(MAX_PRODUCTS + number, total)
            if curve.diverged_after(float(rate), loss):
                break
    finally:
        executor.close()
    return curve.result(chosen, curvature, n_examples, experiment.loss.unit)


class _Curve:
    """Losses so far, and whether they are out of hand."""

    def __init__(self, n_steps: int) -> None:
        self.half_decade = max(2, (n_steps - 1) // (2 * DECADES))
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []
        self.diverged_at = math.nan
        self._mean = 0.0

    def diverged_after(self, rate: float, loss: float) -> bool:
        """Take one more step in; True when training has broken."""
        if not math.isfinite(loss):
            self.diverged_at = rate
            return True
        self.rates.append(rate)
        self.losses.append(loss)
        kept = 1 - 1 / self.half_decade
        self._mean = kept * self._mean + (1 - kept) * loss
        self.smoothed.append(self._mean / (1 - kept ** len(self.losses)))
        is_over = len(self.losses) > self.half_decade and self.smoothed[-1] > DIVERGED * min(self.smoothed)
        self.diverged_at = rate if is_over else math.nan
        return is_over

    def result(self, lane: Lane, curvature: float, n_examples: int, unit: str) -> RangeTest:
        rates, losses, smoothed = (np.array(values) for values in (self.rates, self.losses, self.smoothed))
        return RangeTest(
            lane=described(lane),
            rates=rates,
            losses=losses,
            smoothed=smoothed,
            suggestion=steepest(rates, losses, self.half_decade),
            lowest=float(rates[smoothed.argmin()]) if len(rates) else math.nan,
            diverged_at=self.diverged_at,
            sharpness=curvature,
            n_examples=n_examples,
            limit=stability_limit(lane, curvature),
            loss_unit=unit,
        )


def steepest(rates: np.ndarray, losses: np.ndarray, half_width: int) -> float:
    """The rate at which the loss falls most steeply over the logarithm of the rate; NaN where no fall stands out of the noise.

    The slope is that of the straight line through the losses of `half_width` steps to each side (least squares), which lags
    behind nothing, as a running mean would. Rates beyond the lowest mean of such a window are not looked at. The noise is told
    from second differences, which a smooth curve has none of.
    """
    width = 2 * half_width + 1
    if len(losses) < width:
        return math.nan
    windows = np.lib.stride_tricks.sliding_window_view(losses, width)  # (W, width)
    until = int(windows.mean(1).argmin()) + 1
    places = np.arange(width) - half_width
    slopes = windows[:until] @ places / (places @ places)
    best = int(slopes.argmin())
    noise = np.std(np.diff(losses[: until + width - 1], 2)) / math.sqrt(6)
    is_sure = slopes[best] < -SURE * noise / math.sqrt(places @ places)
    return float(rates[best + half_width]) if is_sure else math.nan


def stability_limit(lane: Lane, curvature: float) -> float:
    """The largest learning rate with which the lane's optimizer does not move away from a minimum of this curvature λ.

    2 / λ for gradient descent; with momentum β it is 2 (1 + β) / λ, or 2 (1 + β) / ((1 + 2 β) λ) with Nesterov's (the roots of
    the step on a quadratic stay in the unit circle). A coupled L2 penalty adds to the curvature. NaN where λ is not positive,
    and for adaptive optimizers: these divide by the size of the gradient, so that the limit is not one of the rate alone.
    """
    optimizer = lane.optimizer
    numbers = optimizer.arguments()
    curvature += numbers.get("weight_decay", 0.0) + sum(one.strength for one in lane.regularizers if isinstance(one, L2))
    kept = numbers.get("momentum", 0.0)
    new = 1 - numbers.get("dampening", 0.0) if kept else 1.0
    if optimizer.torch_class != "torch.optim:SGD" or not curvature > 0 or new == 0:
        return math.nan
    reach = 2 * (1 + kept) / new
    return float(reach / curvature / (1 + 2 * kept if numbers.get("nesterov") else 1))
