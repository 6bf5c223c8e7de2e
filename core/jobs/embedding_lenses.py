"""The lens job that draws what a layer makes of many examples, at all kept moments in one frame."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from core.data.gallery import SplitName, gallery_of
from core.errors import NotApplicable, SpecError, StoreError, TooExpensive
from core.jobs.job import ArtifactRef, Desk
from core.jobs.lenses import Seed, WeightsJob, loaded
from core.jobs.projections import AnyProjection, Pca
from core.models.model import infer, layer_name
from core.models.stack import Inference
from core.settings import Settings

if TYPE_CHECKING:
    from core.data.dataset import Splits
    from core.inspection.embedding import Basis
    from core.results.examples import ExampleGallery

MAX_MOMENTS = 12
"""Moments that one picture goes through; more would be a longer wait for the same film."""
MAX_NUMBERS = 40_000_000
"""Outputs of a layer, for all examples at all moments, that are held at once (160 MB)."""

Report = Callable[[int], None]
"""Takes the number of examples done at one moment."""


class EmbeddingJob(WeightsJob):
    """What a layer gives for many examples, drawn as points."""

    kind: Literal["embedding"] = "embedding"
    label: ClassVar[str] = "Embedding"
    checkpoints: Annotated[tuple[ArtifactRef, ...], Field(max_length=MAX_MOMENTS)] = ()
    """Of one run, in order of steps; none for the initial weights."""
    layer: Annotated[int, Field(ge=0, le=63)] | None = None
    """Its place in the stack, from 0; None for the last hidden one."""
    split: SplitName = "validation"
    n: Annotated[int, Field(ge=8, le=2_000)] = 500
    """How many examples, classes in turn; all where there are fewer."""
    projection: AnyProjection = Pca()
    dimensions: Literal[2, 3] = 2
    seed: Seed = 0

    def check(self, settings: Settings) -> None:
        """Refuses a layer that is not there, more neighbours than examples, and more numbers than fit."""
        super().check(settings)
        experiment = self.experiment
        if self.layer is not None and self.layer >= len(experiment.model.layers):
            raise SpecError(
                f"There is no layer {self.layer + 1}.", hint=f"Layers are numbered 1 to {len(experiment.model.layers)}."
            )
        profile = experiment.data.profile()
        size = profile.n_in(self.split)
        if problem := self.projection.problem(min(self.n, size)):
            raise SpecError(problem, hint="Take more examples, or a smaller number.")
        features, n = self.n_features(), min(self.n, size)
        if features * n > MAX_NUMBERS:
            raise TooExpensive(
                f"This layer gives {features:,} numbers per example, for {n:,} examples {features * n:,}; the limit is "
                f"{MAX_NUMBERS:,}.",
                hint=f"Take at most {MAX_NUMBERS // features:,} examples, or a later layer.",
            )

    def n_features(self) -> int:
        """Numbers that the layer gives per example."""
        inference = infer(self.experiment.model, self.experiment.data.profile().input_shape)
        return prod(inference.layers[self.place].out_shape or (1,))

    @property
    def place(self) -> int:
        """The layer that is looked at, from 0."""
        if self.layer is not None:
            return self.layer
        return last_hidden(infer(self.experiment.model, self.experiment.data.profile().input_shape))

    def result(self, desk: Desk) -> Any:
        from core.inspection.embedding import (
            FIRST_COMPONENTS,
            common_basis,
            neighbors_looked_at,
            share_seen,
            trust,
        )
        from core.inspection.embedding_examples import small, told
        from core.results.embedding import Embedding

        splits = loaded(self.experiment.data, self.experiment.seed)
        shown = gallery_of(splits, self.split, self.n)
        n, d = len(shown.indices), self.dimensions
        seen, notes = self._seen(desk, splits, shown)
        features = [one.features for one in seen]
        basis = common_basis(features, d if self.projection.is_linear else max(d, FIRST_COMPONENTS), self.seed)
        positions = self._positions(desk, basis, features)
        k = neighbors_looked_at(n)
        last = 2.0 if self.projection.is_linear else 0.1  # of three parts: looking, drawing, judging
        trusts = []
        for moment, (points, drawn) in enumerate(zip(features, positions, strict=True)):
            trusts.append(trust(points, drawn, k))
            desk.progress(3 * len(features) * n - int(last * n * (len(features) - moment - 1)), 3 * len(features) * n)
        is_number = splits.profile.task == "regression"
        return Embedding(
            method=self.projection.kind,
            layer=self.place,
            layer_name=layer_name(self.experiment.model.layers, (self.place,)),
            n_features=features[0].shape[1],
            split=self.split,
            indices=shown.indices,
            labels=shown.labels,
            class_names=shown.class_names,
            steps=np.array([one.step for one in seen], np.int64),
            positions=positions,
            predictions=np.stack([one.predicted for one in seen]),
            trustworthiness=np.array([pair[0] for pair in trusts]),
            kept_neighbors=np.array([pair[1] for pair in trusts]),
            n_neighbors=k,
            explained=basis.explained,
            explained_then=np.array([share_seen(points, basis.places(points)) for points in features]),
            confidence=None if is_number else np.stack([one.confidence for one in seen]),
            targets=shown.targets,
            target_name=shown.target_name,
            pixels=None if shown.pixels is None else small(shown.pixels),
            texts=told(shown),
            notes=notes,
        )

    def _seen(self, desk: Desk, splits: "Splits", shown: "ExampleGallery") -> tuple[list["Seen"], tuple[str, ...]]:
        """What the layer and the model say at each moment, and what had to be left out.

        Raises:
            StoreError, NotApplicable: no moment is left.
        """
        n = len(shown.indices)
        refs, notes = self._affordable(n)
        found: list[Seen] = []
        lost: list[StoreError] = []
        n_broken = 0
        for moment, ref in enumerate(refs):
            try:
                one = self._look(desk, ref, splits, shown, partial(_report, desk, moment * n, 3 * len(refs) * n))
            except StoreError as error:  # forgotten since it was asked for, or from before this lane joined
                lost.append(error)
                continue
            if np.isfinite(one.features).all():
                found.append(one)
            else:
                n_broken += 1
        if not found and lost:
            raise lost[0]
        if not found:
            raise NotApplicable("The weights are not finite: this run diverged.", hint="Look at an earlier moment.")
        if lost:
            notes += (f"{len(lost)} of {len(refs)} moments are left out: this lane has no weights of theirs any more, or yet.",)
        if n_broken:
            notes += (f"{n_broken} of {len(refs)} moments are left out: the layer gave numbers that are not finite.",)
        return found, notes

    def _affordable(self, n: int) -> tuple[tuple[ArtifactRef | None, ...], tuple[str, ...]]:
        """As many of the moments as fit into memory, the first and the last among them; and a word where not all do."""
        refs: tuple[ArtifactRef | None, ...] = self.checkpoints or (None,)
        features = self.n_features()
        most = max(1, MAX_NUMBERS // max(1, features * n))
        if len(refs) <= most:
            return refs, ()
        places = np.unique(np.linspace(0, len(refs) - 1, most).round().astype(int)) if most > 1 else [len(refs) - 1]
        kept = tuple(refs[i] for i in places)
        return kept, (f"Only {len(kept)} of {len(refs)} moments are shown: this layer gives {features:,} numbers per example.",)

    def _look(self, desk: Desk, ref: ArtifactRef | None, splits: "Splits", shown: "ExampleGallery", report: Report) -> "Seen":
        """One moment."""
        import torch

        from core.inspection.layer_outputs import layer_outputs
        from core.models.output import class_probabilities, predicted_classes, predicted_numbers

        model, step = self.but(weights=ref).model(desk)
        features, outputs = layer_outputs(model, shown.values, self.place, report)
        said = torch.from_numpy(outputs)
        if splits.profile.task == "regression":
            numbers = predicted_numbers(said).double().numpy() * splits.target_scale + splits.target_shift
            return Seen(step, features, numbers.astype(np.float32), np.zeros(0, np.float32))
        classes = predicted_classes(model, said)
        confidence = class_probabilities(model, said.double()).gather(1, classes[:, None])[:, 0]
        return Seen(step, features, classes.int().numpy(), confidence.float().numpy())

    def _positions(self, desk: Desk, basis: "Basis", features: list[np.ndarray]) -> np.ndarray:
        """Where all points are at all moments, (M, N, d) float32."""
        from core.inspection.embedding import aligned, in_dimensions, is_constant
        from core.inspection.neighbour_maps import neighbour_maps

        components = np.stack([basis.places(points) for points in features])
        linear = np.stack([in_dimensions(one, self.dimensions) for one in components])
        if self.projection.is_linear:
            return linear
        live = [moment for moment, points in enumerate(features) if not is_constant(points)]
        total, n = 3 * len(features), linear.shape[1]
        positions = np.zeros_like(linear)
        maps = neighbour_maps(
            components[live],
            linear[live[0]],
            {"method": self.projection.kind, "seed": self.seed, "settings": self.projection.settings()},
            desk.settings.home / "compiled",
            lambda done: desk.progress((len(features) + int(1.9 * done)) * n, total * n),
        )
        reference = linear[live[0]]
        for moment, drawn in zip(live, maps, strict=True):
            reference = aligned(drawn, reference)
            positions[moment] = reference
        return positions


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at one moment: `features` (N, F), `predicted` (N,), `confidence` (N,), empty for regression."""

    step: int
    features: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray


def _report(desk: Desk, before: int, total: int, done: int) -> None:
    desk.progress(before + done, total)


def last_hidden(inference: Inference) -> int:
    """The place of the last hidden layer: its output is what the last layer with weights decides by."""
    weighted = [place for place, info in enumerate(inference.layers) if info.n_parameters + info.n_frozen]
    return max(0, weighted[-1] - 1) if weighted else max(0, len(inference.layers) - 1)
