"""The jobs that look: some examples of a data set, the activations of one, the explanation of one prediction."""

import time
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.dataset import Splits
from core.data.gallery import Example, SplitName, background, example, gallery
from core.data.menu import AnyDataset
from core.errors import SpecError
from core.events import Artifact, Finished, Progressed
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.explanation.explainer import Subject
from core.explanation.menu import AnyExplainer
from core.jobs.job import ArtifactRef, Desk, Job, Stream
from core.results.codec import result_bytes
from core.settings import Settings
from core.spec import Spec

if TYPE_CHECKING:
    from torch import nn

RESULT = "result.npz"
BACKGROUND_EXAMPLES = 100
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class LensJob(Job):
    """A job whose whole outcome is one Result, saved as the artifact "result.npz"."""

    lane: ClassVar[Literal["training", "lens"]] = "lens"

    def result(self, desk: Desk) -> Any:
        """The Result. Long work calls `desk.progress`."""
        raise TypeError(f"{type(self).__name__} must give a result")

    def stream(self, desk: Desk) -> Stream:
        """Progress, the result as an artifact, and the end."""
        yield Progressed(0, 1)
        began = time.monotonic()
        result = self.result(desk)
        yield Artifact(RESULT, "result", 0, result_bytes(result))
        yield Finished("completed", 0, time.monotonic() - began)


class ExampleRef(Spec):
    """One example of a split."""

    split: SplitName = "validation"
    index: Annotated[int, Field(ge=0)] = 0


class GalleryJob(LensJob):
    """Some examples to look at and to choose from."""

    kind: Literal["gallery"] = "gallery"
    label = "Examples"
    data: AnyDataset
    seed: Seed = 0
    split: SplitName = "validation"
    n: Annotated[int, Field(ge=1, le=500)] = 40

    def result(self, desk: Desk) -> Any:
        return gallery(self.data, self.seed, self.split, self.n)


class WeightsJob(LensJob):
    """A lens on the weights of a run at one moment; without weights, on the initial ones."""

    experiment: Experiment
    weights: ArtifactRef | None = None
    series: Annotated[int, Field(ge=0, le=127)] = 0
    example: ExampleRef = ExampleRef()

    def model(self, desk: Desk) -> "tuple[nn.Sequential, int]":
        """The model in evaluation mode, and the step of its weights."""
        from core.models.model import build
        from core.training.checkpoints import load_weights

        experiment = self.experiment
        model = build(experiment.model, experiment.data.profile().input_shape, experiment.seed, self.repeat)
        step = 0
        if self.weights:
            state, step = load_weights(desk.artifact(self.weights), self.series)
            _fill(model, state)
        model.eval()
        return model, step

    def chosen(self) -> Example:
        """The example that is looked at.

        Raises:
            SpecError: its split is shorter.
        """
        return example(loaded(self.experiment.data, self.experiment.seed), self.example.split, self.example.index)

    def check(self, settings: Settings) -> None:
        """Refuses models that do not fit together; models too large to train cannot be looked into either."""
        checked(self.experiment, settings)

    @property
    def repeat(self) -> int:
        return self.series % self.experiment.repeats


def _fill(model: "nn.Sequential", state: dict[str, Any]) -> None:
    """Put weights into a model.

    Raises:
        SpecError: they are another model's; the message names the first difference.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    given = {name: tuple(tensor.shape) for name, tensor in state.items()}
    for name in [*wanted, *given]:
        if wanted.get(name) != given.get(name):
            there, here = given.get(name, "nothing"), wanted.get(name, "nothing")
            raise SpecError(
                f"These weights are of another model: {name} is {there} there and {here} here.",
                hint="Take the checkpoint of a run of this very experiment.",
            )
    model.load_state_dict(state)


class ActivationsJob(WeightsJob):
    """What every layer answers to one example."""

    kind: Literal["activations"] = "activations"
    label = "Activation maps"

    def result(self, desk: Desk) -> Any:
        import torch

        from core.inspection.activations import activation_maps

        model, step = self.model(desk)
        chosen = self.chosen()
        names = self.experiment.data.profile().class_names
        return activation_maps(model, torch.from_numpy(chosen.x), chosen.label, names, step)


class ExplainJob(WeightsJob):
    """Why the model gives one class the logit that it gives it."""

    kind: Literal["explain"] = "explain"
    label = "Explanation"
    explainer: AnyExplainer
    target: Annotated[int, Field(ge=0, le=9_999)] | None = None
    """The class to explain; None for the one that the model predicts."""
    seed: Seed = 0
    """Start of the random numbers of sampling methods."""

    def check(self, settings: Settings) -> None:
        """Refuses a method that does not fit this data and stack, and a class that is not there."""
        super().check(settings)
        profile = self.experiment.data.profile()
        kinds = tuple(layer.kind for layer in self.experiment.model.layers)
        if reason := self.explainer.reason_against(profile, kinds):
            raise SpecError(reason, hint="Choose another method.")
        if self.target is not None and self.target >= profile.n_classes:
            raise SpecError(f"There is no class {self.target}.", hint=f"Classes are numbered 0 to {profile.n_classes - 1}.")

    def result(self, desk: Desk) -> Any:
        import torch

        from core.explanation.prepared import prepared_model

        profile = self.experiment.data.profile()
        model, step = self.model(desk)
        chosen = self.chosen()
        x = torch.from_numpy(chosen.x)
        with torch.no_grad():
            predicted = int(model(x).argmax(1).item())
        subject = Subject(
            module=prepared_model(model),
            x=x,
            background=torch.from_numpy(self._background()),
            target=predicted if self.target is None else self.target,
            class_names=profile.class_names,
            feature_names=profile.feature_names,
            pixels=chosen.pixels,
            feature_values=chosen.raw,
            step=step,
            seed=self.seed,
        )
        report: Callable[[int, int], None] = desk.progress
        return self.explainer.attribute(subject, report)

    def _background(self) -> Any:
        splits = loaded(self.experiment.data, self.experiment.seed)
        return background(splits, BACKGROUND_EXAMPLES, self.experiment.seed)


@lru_cache(maxsize=2)
def loaded(data: AnyDataset, seed: int) -> Splits:
    """The splits of a data set; kept by the lens worker for the next look at the same data."""
    return data.splits(seed)
