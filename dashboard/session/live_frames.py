"""The frames of a live run, from its record and its history."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.events import EpochDone, Failed, Finished, HyperChanged, StepMeasured, SurfaceMeasured
from core.history import History
from core.store.protocol import RunRecord
from dashboard.session.frames import frame

MAX_POINTS = 20_000
"""Loss values in one frame; a viewer who is further behind comes back for the rest at once."""


def reset(generation: int) -> bytes:
    """The log was rewound: forget everything."""
    return frame("reset", {"generation": generation})


def hello(record: RunRecord, history: History) -> bytes:
    """What does not change while a run goes on. Only for a history that has `started`."""
    started = history.started
    if started is None:
        raise ValueError("A run that has not started has nothing to say.")
    header = {
        "series": started.series,
        "n_parameters": started.n_parameters,
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
    losses = np.array([np.frombuffer(series, np.float64)[after:last] for series in history.losses], np.float32)
    return frame("steps", {"first_step": after + 1, "n": last - after}, {"losses": ("f4", losses)}), last


def measured(events: Sequence[StepMeasured]) -> bytes:
    """Gradient norms and batch accuracies, (series, n) each."""
    arrays = {
        "step": ("i4", [event.step for event in events]),
        "gradient_norm": ("f4", np.array([event.gradient_norms for event in events]).T),
        "batch_accuracy": ("f4", np.array([event.batch_accuracies for event in events]).T),
    }
    return frame("measured", {}, arrays)


def epochs(events: Sequence[EpochDone]) -> bytes:
    """Losses (nats) and accuracies ([0, 1]) in evaluation mode, (series, n) each."""
    names = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    arrays: dict[str, Any] = {
        "epoch": ("i4", [event.epoch for event in events]),
        "step": ("i4", [event.step for event in events]),
    }
    arrays |= {name: ("f4", np.array([getattr(event, name) for event in events]).T) for name in names}
    return frame("epochs", {}, arrays)


def surface(event: SurfaceMeasured) -> bytes:
    """One decision surface, (side, side), row 0 at y = -span, probability of class 1 times 255."""
    values = np.frombuffer(event.values, np.uint8).reshape(event.side, event.side)
    header = {"side": event.side, "span": event.span, "step": event.step, "series": event.series}
    return frame("surface", header, {"values": ("u1", values)})


def marks(events: Sequence[HyperChanged]) -> bytes:
    """All changes by hand so far."""
    items = [{"step": e.step, "lane": e.lane, "name": e.name, "old": e.old, "new": e.new} for e in events]
    return frame("marks", {"items": items})


def status(record: RunRecord, history: History, queue_position: int | None) -> bytes:
    """How the run is now. Times in seconds; `left_s` is null where nobody can know."""
    header: dict[str, Any] = {
        "state": record.state,
        "generation": record.generation,
        "step": history.step,
        "steps_per_s": history.steps_per_s,
        "elapsed_s": history.elapsed_s,
        "left_s": None,
        "learning_rates": history.learning_rates,
        "queue_position": queue_position,
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
