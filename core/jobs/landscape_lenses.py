"""The lens jobs that look around the weights of a moment: the loss along a line, and over a plane."""

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.errors import NotApplicable, TooExpensive
from core.experiment.experiment import Experiment
from core.inspection.landscape import (
    RING,
    Figures,
    Measure,
    angle,
    even_axis,
    figures_along,
    figures_over,
    filter_numbers,
    grid_places,
    measure,
    random_directions,
    ring_places,
)
from core.inspection.shared_plane import PlaneLoss, flat_weights
from core.jobs.job import Desk
from core.jobs.lenses import Seed, WeightsJob, loaded
from core.jobs.plane_lenses import probe
from core.models.cost import activation_bytes
from core.models.estimate import forward_seconds
from core.models.model import infer
from core.results.landscape import LineKind, LossLine, LossSurface
from core.settings import Settings

if TYPE_CHECKING:
    from torch import nn

SIDES = (11, 21, 41, 61)
"""Places along each side of a plane, from coarse to fine. Each finer grid has the places of the first."""
LENGTHS = (41, 81, 161)
"""Places along a line."""
SPANS = (0.25, 0.5, 1.0, 2.0)
"""Half-widths to choose from, in filter norms."""
EXAMPLES = (64, 256, 1024)
RADIUS = 0.5
"""At which the sharpness is told, in filter norms."""
MAX_S = 900.0
"""What may take longer is refused, by the estimate."""
MAX_WEIGHTS = 10_000_000
"""A plane needs some float64 copies of all weights (400 MB)."""
ACTIVATIONS_BYTES = 512 * 2**20
"""What all layers together may answer to the examples, which go through the model at once."""
SLOWER = 1.4
"""Times as long as the estimate of training says: all examples at once leave the caches (median of the ready experiments)."""
WEIGHT_S = 8e-9
"""Per weight and place: reckon where it lies, and put it into the model."""


class LandscapeJob(WeightsJob):
    """What looks around the weights of one moment."""

    n_examples: Annotated[int, Field(ge=16, le=2048)] = 256
    """Of a split, drawn from the experiment's seed; over them each loss is the mean."""
    seed: Seed = 0
    """Of the random directions."""

    @property
    def n_evaluations(self) -> int:
        """Passes of the examples through the model."""
        raise TypeError(f"{type(self).__name__} must say what it costs")

    @property
    def cheaper(self) -> str:
        """What to choose instead of this one, where it is too expensive."""
        return "Take fewer examples."

    @property
    def seconds(self) -> float:
        """About how long it takes on one CPU thread, by `core.models.estimate`."""
        return self.n_evaluations * evaluation_seconds(self.experiment, self.n_examples)

    def check(self, settings: Settings) -> None:
        """Refuses what would take too long or too much memory; the hint says what fits."""
        super().check(settings)
        inference = infer(self.experiment.model, self.experiment.data.profile().input_shape)
        if inference.n_parameters > MAX_WEIGHTS:
            raise TooExpensive(
                f"This model has {inference.n_parameters:,} weights; its surroundings are looked at up to {MAX_WEIGHTS:,}.",
                hint="Take a smaller model.",
            )
        if (n := ACTIVATIONS_BYTES // activation_bytes(inference)) < self.n_examples:
            raise TooExpensive(
                f"{self.n_examples:,} examples at once would take more than {ACTIVATIONS_BYTES // 2**20} MB in this model.",
                hint=f"Take {n:,} examples." if n >= 16 else "Take a smaller model.",
            )
        if self.seconds > MAX_S:
            raise TooExpensive(
                f"{self.n_evaluations:,} evaluations of {self.n_examples:,} examples would take about "
                f"{self.seconds / 60:,.0f} minutes; {MAX_S / 60:,.0f} are allowed.",
                hint=self.cheaper,
            )

    def around(self, desk: Desk, split: Literal["train", "validation"], model: "nn.Module") -> tuple[PlaneLoss, Measure]:
        """The loss on examples of a split as a function of the weights, and with it the score."""
        from core.training.measures import score, score_sum

        splits = loaded(self.experiment.data, self.experiment.seed)
        loss = PlaneLoss(model, self.experiment.loss.build(), *probe(self.experiment, splits, split, self.n_examples))
        return loss, measure(loss, lambda one, outputs, y: score(score_sum(one, outputs, y), y))

    @property
    def is_classification(self) -> bool:
        return self.experiment.data.profile().task == "classification"


class LossLineJob(LandscapeJob):
    """Loss and score of training and validation examples along a line through the weights."""

    kind: Literal["loss_line"] = "loss_line"
    label: ClassVar[str] = "Loss along a line"
    source: ClassVar[str] = "Goodfellow et al. 2015, section 3; Li et al. 2018, section 4"
    along: LineKind = "random"
    """A filter-normalised random direction, or the way from the initial weights (0) to these (1)."""
    span: Annotated[float, Field(gt=0, le=4)] = 1.0
    """How far to both sides in filter norms, along a random direction."""
    n: Literal[41, 81, 161] = 81
    """Places."""

    @property
    def n_evaluations(self) -> int:
        return 2 * self.n

    def result(self, desk: Desk) -> LossLine:
        model, step = self.model(desk)
        centre, at = flat_weights(model, model.state_dict()).astype(np.float64), even_axis(self.span, self.n)
        if self.along == "random":
            direction = random_directions(centre, filter_numbers(model), self.seed, n=1)[0]
        else:
            present, at = centre, way_places(self.n)
            centre = flat_weights(model, self.but(weights=None).model(desk)[0].state_dict()).astype(np.float64)
            direction = present - centre
        if not direction.any():
            raise NotApplicable(
                "These are the initial weights: from them to themselves there is no line.", hint="Take a later moment."
            )
        loss, train = self.around(desk, "train", model)
        other, validation = self.around(desk, "validation", model)
        n = self.n
        on_train = figures_along(train, centre, direction, at, lambda done, _: desk.progress(done, 2 * n))
        on_validation = figures_along(validation, centre, direction, at, lambda done, _: desk.progress(n + done, 2 * n))
        return LossLine(
            kind=self.along,
            at=at,
            train_loss=on_train[:, 0],
            validation_loss=on_validation[:, 0],
            train_score=on_train[:, 1],
            validation_score=on_validation[:, 1],
            is_classification=self.is_classification,
            step=step,
            seed=self.seed,
            length=float(np.linalg.norm(direction)),
            n_train=len(loss.y),
            n_validation=len(other.y),
            n_parameters=len(centre),
            n_moved=int(np.count_nonzero(direction)),
            unit=self.experiment.loss.unit,
            is_recomputed=loss.is_recomputed,
        )


class LossSurfaceJob(LandscapeJob):
    """Loss and score over the plane of two filter-normalised random directions through the weights."""

    kind: Literal["loss_surface"] = "loss_surface"
    label: ClassVar[str] = "Loss over a plane"
    source: ClassVar[str] = "Li et al. 2018, section 4"
    split: Literal["train", "validation"] = "train"
    """Whose examples."""
    span: Annotated[float, Field(gt=0, le=4)] = 1.0
    """Half-width of the plane, in filter norms."""
    side: Literal[11, 21, 41, 61] = 11
    """Places along each side. Costs side² passes over the examples."""

    @property
    def n_evaluations(self) -> int:
        return self.side**2 + RING

    @property
    def cheaper(self) -> str:
        each = evaluation_seconds(self.experiment, self.n_examples)
        fitting = [side for side in SIDES if (side**2 + RING) * each <= MAX_S]
        return f"Take {max(fitting)} places along each side." if fitting else super().cheaper

    def result(self, desk: Desk) -> LossSurface:
        model, step = self.model(desk)
        centre, filters = flat_weights(model, model.state_dict()).astype(np.float64), filter_numbers(model)
        directions = random_directions(centre, filters, self.seed)
        loss, at = self.around(desk, self.split, model)
        axis = even_axis(self.span, self.side)
        places = np.concatenate([grid_places(axis), ring_places(RADIUS)])
        found = figures_over(at, centre, directions, places, known_places(self._question()), desk.progress)
        on_grid, on_ring = found[: self.side**2], found[self.side**2 :]
        first, second = np.linalg.norm(directions, axis=1)
        return LossSurface(
            axis=axis,
            loss=on_grid[:, 0].reshape(self.side, self.side),
            score=on_grid[:, 1].reshape(self.side, self.side),
            ring=on_ring[:, 0],
            radius=RADIUS,
            is_classification=self.is_classification,
            step=step,
            seed=self.seed,
            split=self.split,
            n_examples=len(loss.y),
            n_parameters=len(centre),
            n_filters=int(filters.max()) + 1,
            angle=angle(directions),
            lengths=(float(first), float(second)),
            unit=self.experiment.loss.unit,
            is_recomputed=loss.is_recomputed,
        )

    def _question(self) -> str:
        """Equal for all grids over the same plane."""
        return self.but(span=1.0, side=SIDES[0]).key()


def evaluation_seconds(experiment: Experiment, n_examples: int) -> float:
    """About how long it takes to put weights into a model and the examples through it."""
    inference = infer(experiment.model, experiment.data.profile().input_shape)
    return WEIGHT_S * inference.n_parameters + SLOWER * forward_seconds(inference, n_examples)


def way_places(n: int) -> np.ndarray:
    """Places on the way from 0 to 1 and half as far beyond both, which are among them: `n` is 4 k + 1."""
    return (4 * np.arange(n) - (n - 1)) / (2 * (n - 1))


@lru_cache(maxsize=6)
def known_places(question: str) -> dict[Figures, Figures]:
    """What the lens worker has found so far over one plane: a finer grid goes on where a coarser one, or a stop, left it."""
    return {}
