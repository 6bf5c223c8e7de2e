"""A run as event files of TensorBoard: one folder per lane and seed, scalars at their own steps."""

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from math import isnan

import numpy as np

from core.history import History
from core.types import Report

Scalar = tuple[str, int, float, float]
"""Tag, step, value, and seconds of training at that step."""
UNTIMED = -1.0
"""Stands for a time that lies between those of two reports."""
TOLD_EVERY = 5_000
NORMS = ("gradient_norm", "weight_norm", "update_norm")
FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")


def event_files(history: History, began: float, report: Report, *, is_regression: bool = False) -> dict[str, bytes]:
    """The event file of every series, by its path `<series>/events.out.tfevents.<time>.layerwise`.

    Args:
        began: when the run began, in seconds since the epoch: TensorBoard's wall time is this plus the training time.
    """
    names = folder_names(history.series)
    total = sum(len(losses) for losses in history.losses)
    done, files = 0, {}
    for series, folder in enumerate(names):
        buffer = io.BytesIO()
        write = _writer(buffer, began)
        for scalar in scalars(history, series, is_regression=is_regression):
            write(scalar)
            done += scalar[0] == "loss/step"
            if done % TOLD_EVERY == 0:
                report(done, max(1, total))
        files[f"{folder}/events.out.tfevents.{int(began):010d}.layerwise"] = buffer.getvalue()
    report(max(1, total), max(1, total))
    return files


def folder_names(series: Sequence[str]) -> list[str]:
    """A folder for each series: its number, and of its name what every file system takes."""
    kept = ["".join(sign if sign.isascii() and (sign.isalnum() or sign in ".-") else "_" for sign in name) for name in series]
    return [f"{place + 1:02d}-{name[:60].strip('._') or 'run'}" for place, name in enumerate(kept)]


def scalars(history: History, series: int, *, is_regression: bool = False) -> Iterator[Scalar]:
    """All scalars of one series. What is not known, as of steps from before a lane joined, is NaN and left out."""
    at, seconds = np.array(history.reports.steps, float), np.array(history.report_s, float)
    told = [_losses(history, series), _figures(history, series, is_regression), _measured(history, series)]
    for tag, step, value, known_s in chain.from_iterable(told):
        if not isnan(value):
            yield tag, step, value, known_s if known_s >= 0 or not len(at) else float(np.interp(step, at, seconds))


def _losses(history: History, series: int) -> Iterator[Scalar]:
    for place, loss in enumerate(history.losses[series]):
        yield "loss/step", place + 1, loss, UNTIMED


def _figures(history: History, series: int, is_regression: bool) -> Iterator[Scalar]:
    for row in history.epochs:
        for figure in FIGURES:
            split, _, what = figure.partition("_")
            tag = "r2" if is_regression and what == "accuracy" else what
            yield f"{tag}/{split}", row.step, getattr(row, figure)[series], row.elapsed_s


def _measured(history: History, series: int) -> Iterator[Scalar]:
    norms = [(history.measured, name, f"norm/{name.partition('_')[0]}") for name in NORMS]
    for table, column, tag in [(history.reports, "learning_rate", "learning_rate"), *norms]:
        if len(table):  # a table without rows has no columns yet
            for step, value in zip(table.steps.tolist(), table[column][:, series].tolist(), strict=True):
                yield tag, step, value, UNTIMED


def _writer(buffer: io.BytesIO, began: float) -> Callable[[Scalar], None]:
    """Appends scalars as records that TensorBoard reads."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    writer = RecordWriter(buffer)
    writer.write(Event(wall_time=began, file_version="brain.Event:2").SerializeToString())

    def write(scalar: Scalar) -> None:
        tag, step, value, seconds = scalar
        summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
        writer.write(Event(wall_time=began + seconds, step=step, summary=summary).SerializeToString())

    return write
