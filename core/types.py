"""Type names that every floor shares."""

from collections.abc import Callable
from typing import Literal

Shape = tuple[int, ...]
"""Shape of one example without the batch axis: (8,), or (C, H, W)."""

Task = Literal["classification", "regression"]
"""What is learned: one of several classes, or a number."""

Report = Callable[[int, int], None]
"""Told (work done, work in all). It may raise, to cancel, and nothing may swallow that."""

Severity = Literal["error", "warning", "info"]
RunState = Literal["queued", "starting", "running", "paused", "stopping", "finished", "stopped", "failed", "interrupted"]

UNFINISHED: frozenset[str] = frozenset({"queued", "starting", "running", "paused", "stopping"})
"""States in which a run may still send events."""


def shape_text(shape: Shape) -> str:
    """A shape as a person reads it: `28 × 28`, or `64` for a flat vector."""
    return " × ".join(f"{size:,}" for size in shape)
