"""One line of the table of runs: what was asked, what came of it, and what people said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.types import RunState

MAX_NAME, MAX_NOTE = 200, 2000
"""Letters of what people say of a run."""
MAX_TAG, MAX_TAGS = 40, 12
"""Letters of a tag, and tags of a run."""
Fact = str | float
"""A setting of a run as the table shows it: text, or a number that can be an axis."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the table, the charts and the tree know it. Times in seconds since the epoch.

    `figures` are of the run's best lane (mean over its seeds): "train_loss", "validation_loss", "validation_accuracy" (or
    R²), "best_validation_loss", "best_validation_accuracy", "test_loss", "test_accuracy", "steps", "epochs", "seconds" (of
    training), "examples" (seen in training), "n_parameters", "multiply_adds" (of one example, forward). What is not known is
    left out.
    """

    id: str
    kind: str
    """The kind of its job: "train", "compress", "cross_validation", "imported", ..."""
    name: str
    state: RunState
    created: float
    started: float | None = None
    finished: float | None = None
    reason: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    parent: str = ""
    """The run that this one was forked from, or made of; empty for none."""
    parent_step: int = 0
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """Settings by name, in the order of a form: "data", "model", "optimizer", "lr", "batch_size", "seed", ..."""
    figures: Mapping[str, float] = field(default_factory=dict)
    deleted: float | None = None
    """When it was deleted; it can be brought back until it is swept away."""
    owner: str = ""
    """The public id of the space that it belongs to; empty for nobody's, which everybody may change."""
