"""The frames of a live run, from its record and its history."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from core.events import (
    Diagnosed,
    EpochDone,
    Failed,
    Finished,
    HyperChanged,
    LaneAdded,
    LaneRemoved,
    OptimizerSwapped,
    PhaseDone,
    SurfaceMeasured,
)
from core.history import FIGURES, Change, History, PastFilled
from core.jobs.queue_client import QueuePlace
from core.store.protocol import RunRecord
from core.types import UNFINISHED
from dashboard.session.frames import frame

MAX_POINTS = 65_536
"""Loss values in one frame (256 KB); a viewer who is further behind comes back for the rest at once."""


def reset(generation: int) -> bytes:
    """The log was rewound: forget everything."""
    return frame("reset", {"generation": generation})


def hello(record: RunRecord, history: History) -> bytes:
    """What changes only when lanes come or go or are planned anew. Only for a history that has `started`.

    `lanes` has, for each lane, its name, the step at which it joined with its source (null for one that was there from the
    start; source -1 for the initial weights), and the step at which it was removed, or null.
    """
    started = history.started
    if started is None:
        raise ValueError("A run that has not started has nothing to say.")
    added = {one.lane: one for one in history.changes if isinstance(one, LaneAdded)}
    removed = history.removed
    lanes = [
        {
            "name": name,
            "joined": added[k].step if k in added else None,
            "source": added[k].source if k in added else None,
            "removed": removed.get(k),
        }
        for k, name in enumerate(history.lanes)
    ]
    header = {
        "series": history.series,
        "lanes": lanes,
        "repeats": history.repeats,
        "executors": history.plan.executors if history.plan else (),
        "reason": history.plan.reason if history.plan else "",
        "n_parameters": started.n_parameters,
        "n_train": started.n_train,
        "steps_per_epoch": started.steps_per_epoch,
        "total_steps": started.total_steps,
        "device": started.device,
        "state": record.state,
        "generation": record.generation,
    }
    return frame("hello", header)


def steps(history: History, after: int) -> tuple[bytes, int]:
    """The batch losses of the steps after `after`, as many as fit, and the last step among them."""
    last = min(history.step, after + max(1, MAX_POINTS // len(history.losses)))
    losses = _losses(history, range(len(history.losses)), after, last)
    return frame("steps", {"first_step": after + 1, "n": last - after}, {"losses": ("f4", losses)}), last


def _losses(history: History, series: Iterable[int], after: int, last: int) -> np.ndarray:
    """(series, last - after), float32."""
    return np.array([np.frombuffer(history.losses[k], np.float64)[after:last] for k in series], np.float32)


def reports(history: History, at: int) -> bytes:
    """Training time so far (seconds) and learning rates (series, n) at the last step of some reports, from row `at` on."""
    table = history.reports
    arrays = {
        "step": ("i4", table.steps[at:]),
        "elapsed_s": ("f8", np.frombuffer(history.report_s, np.float64)[at:]),
        "learning_rate": ("f4", table["learning_rate"][at:].T),
    }
    return frame("reports", {}, arrays)


def measured(history: History, at: int) -> bytes:
    """Norms of gradient, step and weights, the effective learning rate (step over gradient) and batch accuracies, from row
    `at` on, (series, n) each."""
    table = history.measured
    columns = {name: table[name][at:].T for name in table.names}
    gradient = columns["gradient_norm"]
    columns["effective_rate"] = np.divide(
        columns["update_norm"], gradient, out=np.full(gradient.shape, np.nan, np.float32), where=gradient > 0
    )
    return frame("measured", {}, {"step": ("i4", table.steps[at:])} | {name: ("f4", data) for name, data in columns.items()})


def epochs(events: Sequence[EpochDone]) -> bytes:
    """Losses (nats) and accuracies ([0, 1]) in evaluation mode, (series, n) each."""
    return frame("epochs", {}, _figures(events, slice(None)))


def _figures(events: Sequence[EpochDone], series: slice) -> dict[str, tuple[str, Any]]:
    arrays: dict[str, tuple[str, Any]] = {
        "epoch": ("i4", [event.epoch for event in events]),
        "step": ("i4", [event.step for event in events]),
    }
    return arrays | {name: ("f4", np.array([getattr(event, name)[series] for event in events]).T) for name in FIGURES}


def past(history: History, filled: Sequence[PastFilled], until: int) -> list[bytes]:
    """What has become known of earlier steps, up to step `until`: losses (repeats, n) and epochs (repeats, m) of a lane."""
    frames = []
    for lane in sorted({one.lane for one in filled}):
        first = min(one.first_step for one in filled if one.lane == lane)
        last = min(until, max(one.last_step for one in filled if one.lane == lane))
        series = history.series_of(lane)
        rows = [row for row in history.epochs if first <= row.step <= last]
        size = max(1, MAX_POINTS // history.repeats)
        for at in range(first - 1, last, size):
            end = min(last, at + size)
            arrays = {"losses": ("f4", _losses(history, series, at, end))}
            if end == last and rows:
                arrays |= _figures(rows, slice(series.start, series.stop))
            frames.append(frame("past", {"lane": lane, "first_step": at + 1, "n": end - at}, arrays))
    return frames


def surface(event: SurfaceMeasured) -> bytes:
    """One decision surface, (side, side), row 0 at y = -span, probability of class 1 times 255."""
    values = np.frombuffer(event.values, np.uint8).reshape(event.side, event.side)
    header = {"side": event.side, "span": event.span, "step": event.step, "series": event.series}
    return frame("surface", header, {"values": ("u1", values)})


def marks(changes: Sequence[Change]) -> bytes:
    """All changes by hand so far. `kind` is hyper, swap, added or removed; for hyper there are name, old and new."""
    return frame("marks", {"items": [_mark(change) for change in changes]})


def _mark(change: Change) -> dict[str, Any]:
    mark: dict[str, Any] = {"step": change.step, "lane": change.lane}
    match change:
        case HyperChanged():
            return mark | {"kind": "hyper", "name": change.name, "old": change.old, "new": change.new}
        case OptimizerSwapped():
            return mark | {"kind": "swap", "old": _kind(change.old), "new": _kind(change.new)}
        case LaneAdded():
            return mark | {"kind": "added", "source": change.source}
        case LaneRemoved():
            return mark | {"kind": "removed"}


def _kind(optimizer: str) -> str:
    """What the JSON of an optimizer calls it."""
    found = json.loads(optimizer)
    return str(found.get("kind", "")) if isinstance(found, dict) else ""


def phases(events: Sequence[PhaseDone]) -> bytes:
    """The phases of the last step by hand. The first values of tensor 1 of phase 0 are the array `0.1`."""
    items, arrays = [], {}
    for i, event in enumerate(events):
        tensors = []
        for j, view in enumerate(event.tensors):
            tensors.append(
                {
                    "name": view.name,
                    "shape": view.shape,
                    "low": view.low,
                    "high": view.high,
                    "mean": view.mean,
                    "norm": view.norm,
                }
            )
            arrays[f"{i}.{j}"] = ("f4", np.frombuffer(view.values, "<f4"))
        items.append({"step": event.step, "phase": event.phase, "text": event.text, "tensors": tensors})
    return frame("phases", {"items": items}, arrays)


def findings(events: Sequence[Diagnosed]) -> bytes:
    """What the training doctor saw so far, oldest first."""
    names = ("step", "series", "code", "severity", "message", "hint", "layer", "action")
    return frame("findings", {"items": [{name: getattr(event, name) for name in names} for event in events]})


def status(record: RunRecord, history: History, place: QueuePlace | None) -> bytes:
    """How the run is now. Times in seconds; `left_s` and those of the queue are null where nobody can know."""
    header: dict[str, Any] = {
        "state": record.state,
        "generation": record.generation,
        "step": history.step,
        "steps_per_s": history.steps_per_s,
        "elapsed_s": history.elapsed_s,
        "left_s": None,
        "learning_rates": history.learning_rates[:: history.repeats],  # one per lane: that of its first repeat
        "catching_up": _catching_up(record, history),
        "queue": asdict(place) if place else None,
        "n_lost_workers": history.n_lost_workers,
        "notice": history.notices[-1].message if history.notices else "",
    }
    return frame("status", header | _progress(record, history) | _end(record, history))


def _progress(record: RunRecord, history: History) -> dict[str, Any]:
    """The epoch under way, of how many, and the time left."""
    started = history.started
    if started is None or started.steps_per_epoch < 1:
        return {"epoch": 0, "n_epochs": None, "total_steps": None}
    total = started.total_steps
    left = None
    if total is not None and record.state == "running" and history.steps_per_s > 0:
        left = max(0, total - history.step) / history.steps_per_s
    return {
        "epoch": -(-history.step // started.steps_per_epoch),
        "n_epochs": None if total is None else -(-total // started.steps_per_epoch),
        "total_steps": total,
        "left_s": left,
    }


def _catching_up(record: RunRecord, history: History) -> dict[str, int] | None:
    """The lane that makes the steps which the others have made already, and how far it is."""
    if not history.filled or record.state not in UNFINISHED:
        return None
    lane, step = history.filled[-1].lane, history.filled[-1].last_step
    joined = max(one.step for one in history.changes if isinstance(one, LaneAdded) and one.lane == lane)
    return {"lane": lane, "step": step, "of": joined} if step < joined == history.step else None


def _end(record: RunRecord, history: History) -> dict[str, Any]:
    """How it ended: the test figures, or a sentence about the failure."""
    match history.end:
        case Finished() as end:
            return {
                "reason": end.reason,
                "elapsed_s": end.elapsed_s,
                "test_loss": end.test_loss,
                "test_accuracy": end.test_accuracy,
            }
        case Failed() as end:
            return {"message": end.message, "hint": end.hint}
        case _:
            return {"message": record.reason if record.state in ("failed", "interrupted") else "", "hint": ""}
