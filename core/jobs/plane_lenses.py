"""The lens job that draws the ways of all lanes of a run over their own loss."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.dataset import Splits
from core.errors import NotApplicable, SpecError
from core.experiment.check import checked
from core.experiment.experiment import MAX_LANES, Experiment
from core.jobs.job import ArtifactRef, Desk
from core.jobs.lenses import LensJob, loaded
from core.models.model import infer
from core.seeds import numpy_stream
from core.settings import Settings

if TYPE_CHECKING:
    import torch
    from torch import nn

    from core.inspection.shared_plane import Way
    from core.training.checkpoints import TrainingState

EXAMPLES = 256
"""Training examples over which each loss is the mean."""
MAX_NUMBERS = 40_000_000
"""Weights of all checkpoints that are held at once (160 MB)."""
MAX_MOMENTS = 48
"""Checkpoints of each lane that are looked at."""
COARSE, FINE = 9, 33
"""Places along each side: for a first look, and for a good one."""


class SharedPlaneJob(LensJob):
    """The checkpoints of all lanes of one repeat in one plane, with the loss over it."""

    kind: Literal["shared_plane"] = "shared_plane"
    label: ClassVar[str] = "Ways over the loss"
    experiment: Experiment
    """With the lanes that joined by hand."""
    checkpoints: Annotated[tuple[ArtifactRef, ...], Field(min_length=3, max_length=2_000)]
    """Of one run, in order of steps."""
    repeat: Annotated[int, Field(ge=0, le=15)] = 0
    only: Annotated[int, Field(ge=0, le=MAX_LANES - 1)] | None = None
    """The lane to look at; None for all of them."""
    side: Annotated[int, Field(ge=3, le=65)] = COARSE
    """Places along each side of the plane. Costs side² passes over 256 examples."""

    def check(self, settings: Settings) -> None:
        """Refuses a repeat that is not there, and models that do not fit together."""
        checked(self.experiment, settings)
        if self.repeat >= self.experiment.repeats:
            raise SpecError(f"There is no repeat {self.repeat}.", hint=f"Repeats are 0 to {self.experiment.repeats - 1}.")
        if self.only is not None and self.only >= len(self.experiment.lanes):
            raise SpecError(f"There is no lane {self.only}.", hint=f"Lanes are 0 to {len(self.experiment.lanes) - 1}.")

    def result(self, desk: Desk) -> Any:
        from core.inspection.shared_plane import PlaneLoss, shared_plane
        from core.models.model import build

        experiment = self.experiment
        x, y = probe(experiment, loaded(experiment.data, experiment.seed), "train", EXAMPLES)
        model = build(experiment.model, experiment.data.profile().input_shape, experiment.seed, self.repeat)
        ways = self._ways(desk, model)
        return shared_plane(
            ways, PlaneLoss(model, experiment.loss.build(), x, y), self.side, experiment.loss.unit, desk.progress
        )

    def _ways(self, desk: Desk, model: "nn.Module") -> "list[Way]":
        """The weights of every lane at some moments.

        Raises:
            NotApplicable: fewer than three different checkpoints are left.
        """
        from core.training.checkpoints import load_state

        lanes = [self.only] if self.only is not None else list(range(len(self.experiment.lanes)))
        size = len(lanes) * infer(self.experiment.model, self.experiment.data.profile().input_shape).n_parameters
        moments = thinned(self.checkpoints, max(3, min(MAX_MOMENTS, MAX_NUMBERS // max(1, size))))
        kept: dict[int, dict[int, np.ndarray]] = {lane: {} for lane in lanes}
        for ref in moments:
            state = load_state(desk.artifact(ref))
            for lane in lanes:
                weights = _weights(state, lane * self.experiment.repeats + self.repeat, model)
                if weights is not None and not _is_same(weights, kept[lane]):
                    kept[lane][state.step] = weights
        ways = [_way(lane, self.experiment.lanes[lane].label, found) for lane, found in kept.items() if found]
        if sum(len(way.steps) for way in ways) < 3:
            raise NotApplicable(
                "There are fewer than three different checkpoints: they span no plane.", hint="Let the run go on for a while."
            )
        return ways


def probe(
    experiment: Experiment, splits: Splits, split: Literal["train", "validation"], n: int
) -> "tuple[torch.Tensor, torch.Tensor]":
    """At most `n` examples of a split, the same ones for all looks at this experiment: inputs as the model gets them, targets.

    Raises:
        NotApplicable: the split is empty.
    """
    import torch

    from core.training.batches import ResidentData

    data = ResidentData(splits, getattr(splits, split), torch.device("cpu"))
    if not len(data):
        raise NotApplicable(f"There are no {split} examples.", hint="Choose another split.")
    chosen = numpy_stream(experiment.seed, "probe").permutation(len(data))[:n]
    return data.batch(torch.from_numpy(np.sort(chosen)))


def thinned(refs: Sequence[ArtifactRef], n: int) -> tuple[ArtifactRef, ...]:
    """At most `n` of some checkpoints, evenly spread, the first and the last among them."""
    if len(refs) <= n:
        return tuple(refs)
    return tuple(refs[i] for i in np.unique(np.linspace(0, len(refs) - 1, n).round().astype(int)))


def _weights(state: "TrainingState", series: int, model: "nn.Module") -> np.ndarray | None:
    """The trained weights (P,) of a series, averaged ones where it has some; None before it joined, or after it broke."""
    from core.inspection.shared_plane import flat_weights

    if series >= len(state.models):
        return None
    averaged = state.averages[series] if series < len(state.averages) else {}
    weights = flat_weights(model, averaged or state.models[series])
    return weights if np.isfinite(weights).all() else None


def _is_same(weights: np.ndarray, known: dict[int, np.ndarray]) -> bool:
    """Whether nothing has moved since the last moment: a lane that diverged or was removed."""
    return bool(known) and np.array_equal(weights, known[max(known)])


def _way(lane: int, label: str, found: dict[int, np.ndarray]) -> "Way":
    from core.inspection.shared_plane import Way

    steps = sorted(found)
    return Way(lane, label, np.array(steps, dtype=np.int64), np.stack([found[step] for step in steps]))
