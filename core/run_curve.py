"""The curve of a run as many runs are drawn over each other: thinned to what a screen can show, in one packed record."""

import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

Axis = Literal["step", "epoch", "seconds", "examples"]
FIGURES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class RunCurve:
    """Of a run's best lane, the mean over its seeds. All arrays float64.

    `losses` (n,): batch losses, each the mean over `stride` steps in a row, of which `steps` has the last; `seconds` of
    training up to then. `figures` (4, m): FIGURES at the ends of epochs, with `epochs`, `epoch_steps` and `epoch_seconds` (m,).
    """

    stride: int
    steps_per_epoch: int
    n_train: int
    steps: Floats
    losses: Floats
    seconds: Floats
    epochs: Floats
    epoch_steps: Floats
    epoch_seconds: Floats
    figures: Floats

    def x(self, axis: Axis, *, by_epoch: bool) -> Floats:
        """Where the points of `losses`, or those of `figures`, lie. Examples are exact at the ends of epochs."""
        steps = self.epoch_steps if by_epoch else self.steps
        match axis:
            case "step":
                return steps
            case "seconds":
                return self.epoch_seconds if by_epoch else self.seconds
            case "epoch":
                return self.epochs if by_epoch else steps / max(1, self.steps_per_epoch)
        return steps * (self.n_train / max(1, self.steps_per_epoch))

    def y(self, name: str) -> Floats:
        """`batch_loss`, or one of FIGURES."""
        return self.losses if name == "batch_loss" else self.figures[FIGURES.index(name)]


def packed_curve(curve: RunCurve) -> bytes:
    """The curve as a store keeps it: a line of JSON, then float32 numbers."""
    n, m = len(curve.steps), len(curve.epochs)
    last = float(curve.steps[-1]) if n else 0
    head = {"n": n, "m": m, "stride": curve.stride, "last": last, "per": curve.steps_per_epoch, "n_train": curve.n_train}
    rows = [curve.losses, curve.seconds, curve.epochs, curve.epoch_seconds, curve.figures.ravel()]
    with np.errstate(over="ignore"):
        numbers = np.concatenate(rows).astype("<f4").tobytes()
    return json.dumps(head).encode() + b"\n" + curve.epoch_steps.astype("<i4").tobytes() + numbers


def unpacked_curve(data: bytes) -> RunCurve:
    """The curve that `packed_curve` packed.

    Raises:
        ValueError: it is none; KeyError where the head lacks something.
    """
    line, _, body = data.partition(b"\n")
    head = json.loads(line)
    n, m, stride = head["n"], head["m"], head["stride"]
    epoch_steps = np.frombuffer(body, "<i4", m).astype(np.float64)
    numbers = np.frombuffer(body, "<f4", 2 * n + 6 * m, offset=4 * m).astype(np.float64)
    steps = np.minimum(np.arange(1, n + 1, dtype=np.float64) * stride, head["last"])
    losses, seconds, epochs, epoch_seconds, figures = np.split(numbers, np.cumsum([n, n, m, m]))
    shape = (len(FIGURES), m)
    return RunCurve(
        stride, head["per"], head["n_train"], steps, losses, seconds, epochs, epoch_steps, epoch_seconds, figures.reshape(shape)
    )


def smoothed(y: Floats, window: int) -> Floats:
    """At each point the mean over `window` points around it, fewer at both ends; what is not finite does not count."""
    if window <= 1 or not len(y):
        return y
    is_known = np.isfinite(y)
    sums = np.concatenate([[0.0], np.cumsum(np.where(is_known, y, 0.0))])
    counts = np.concatenate([[0], np.cumsum(is_known)])
    places = np.arange(len(y))
    first = np.maximum(places - (window - 1) // 2, 0)
    last = np.minimum(places + window // 2 + 1, len(y))
    n = counts[last] - counts[first]
    means: Floats = np.where(is_known, (sums[last] - sums[first]) / np.maximum(n, 1), np.nan)
    return means


def thinned(n: int, most: int, *, is_log: bool = False) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Places of at most `most` of `n` points, the first and the last among them; evenly, or evenly on a logarithmic axis."""
    if n <= most:
        return np.arange(n, dtype=np.int64)
    spread = np.geomspace(1, n, most) - 1 if is_log else np.linspace(0, n - 1, most)
    return np.unique(np.round(spread).astype(np.int64))
