"""The jobs that look: some examples of a data set, the activations of one, the explanation of one prediction."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, FiniteFloat

from core.data.dataset import Splits
from core.data.edited import at_place, with_hidden, with_values
from core.data.gallery import Example, SplitName, background, example, gallery
from core.data.menu import AnyDataset
from core.data.own.keep import kept_upload
from core.data.plane import Plane
from core.data.preparation import Preparation
from core.data.prepare import model_points
from core.errors import NotApplicable, SpecError
from core.events import Artifact, Finished, Progressed
from core.experiment.check import checked
from core.experiment.experiment import Experiment
from core.explanation.explainer import Subject, Unit
from core.explanation.menu import AnyExplainer
from core.jobs.job import ArtifactRef, Desk, Job, Stream
from core.jobs.training import origin_bytes
from core.models.model import all_layers
from core.results.codec import result_bytes
from core.settings import Settings
from core.spec import Spec

if TYPE_CHECKING:
    from torch import nn

RESULT = "result.npz"
SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
BACKGROUND_EXAMPLES = 100
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class LensJob(Job):
    """A job whose whole outcome is one Result, saved as the artifact "result.npz"."""

    lane: ClassVar[Literal["training", "lens"]] = "lens"
    has_lasting_answer: ClassVar[bool] = True

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
    """One example of a split, or a picture of the visitor's own."""

    split: SplitName = "validation"
    index: Annotated[int, Field(ge=0)] = 0
    file: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """SHA-256 digest of a kept picture, which is looked at instead; nobody knows its class."""
    drawn: bool = False
    """The picture is one drawn sign: it is cut out and centred as the digits of MNIST were."""
    retouched: bool = False
    """The picture is an example that was painted on: nothing is inverted."""
    values: Annotated[tuple[tuple[int, FiniteFloat], ...], Field(max_length=500)] = ()
    """Tables: (column, number before any preparation) that are other than in the example."""
    hidden: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(max_length=2000)] = ()
    """Texts: places, in the example as it is, of the tokens that are left out; the others move together."""


class GalleryJob(LensJob):
    """Some examples to look at and to choose from."""

    kind: Literal["gallery"] = "gallery"
    label = "Examples"
    data: AnyDataset
    seed: Seed = 0
    split: SplitName = "validation"
    n: Annotated[int, Field(ge=1, le=500)] = 40
    only: Annotated[int, Field(ge=0, le=9_999)] | None = None
    """The class to show; None for all, in turn."""
    start: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    """How many to leave out first, for the next page."""

    def result(self, desk: Desk) -> Any:
        return gallery(self.data, self.seed, self.split, self.n, self.only, self.start)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An example to look at, the data that it belongs to, and what was done to a picture of the visitor's own."""

    splits: Splits
    example: Example
    notes: tuple[str, ...] = ()


class WeightsJob(LensJob):
    """A lens on the weights of a run at one moment; without weights, on the initial ones."""

    experiment: Experiment
    weights: ArtifactRef | None = None
    series: Annotated[int, Field(ge=0, le=127)] = 0
    example: ExampleRef = ExampleRef()

    def model(self, desk: Desk) -> "tuple[nn.Sequential, int]":
        """The model in evaluation mode, and the step of its weights; without weights as it begins, a fork from its origin."""
        from core.models.model import build
        from core.training.beginnings import begin_with
        from core.training.checkpoints import load_weights

        experiment = self.experiment
        model = build(experiment.model, experiment.data.profile().input_shape, experiment.seed, self.repeat)
        step = 0
        if self.weights:
            state, step = load_weights(desk.artifact(self.weights), self.series)
            _fill(model, state)
        elif experiment.origin:
            begin_with(model, experiment.origin, origin_bytes(experiment, desk))
        model.eval()
        return model, step

    def chosen(self, desk: Desk) -> Chosen:
        """The example that is looked at.

        Raises:
            SpecError: its split is shorter, or its file is no picture.
            MissingData: its file is not kept any more.
        """
        splits = loaded(self.experiment.data, self.experiment.seed)
        ref, preparation = self.example, self.experiment.data.preparation
        if ref.file:
            return own_example(splits, preparation, kept_upload(ref.file, desk.settings), ref)
        found = example(splits, ref.split, ref.index)
        data, seed = self.experiment.data, self.experiment.seed
        if isinstance(data, Plane):
            found = at_place(splits, data, found, data.place(seed, SPLITS.index(ref.split), ref.index), ref.values)
        elif ref.values:
            found = with_values(splits, preparation, found, ref.values)
        if ref.hidden:
            found = with_hidden(splits, found, ref.hidden)
        return Chosen(splits, found)

    def check(self, settings: Settings) -> None:
        """Refuses models that do not fit together; models too large to train cannot be looked into either."""
        checked(self.experiment, settings)
        if self.example.file and self.experiment.data.original_profile().modality != "image":
            raise NotApplicable(
                "A picture cannot be looked at here: these data are no images.", hint="Choose an example of the data."
            )

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
        from core.models.output import predicted_numbers

        model, step = self.model(desk)
        chosen = self.chosen(desk)
        splits, shown = chosen.splits, chosen.example
        kinds = [layer.kind for layer in self.experiment.model.layers]
        maps = activation_maps(model, torch.from_numpy(shown.x), shown.label, splits.profile.class_names, step, kinds)
        maps = replace(maps, tokens=shown.tokens, text=shown.text or "", pixels=shown.pixels, notes=chosen.notes)
        if splits.profile.task == "classification":
            return maps
        predicted = float(predicted_numbers(torch.from_numpy(maps.logits)[None])[0])
        value = predicted * splits.target_scale + splits.target_shift
        return replace(maps, value=value, truth=shown.target, target_name=splits.profile.target_name)


class ExplainJob(WeightsJob):
    """Why the model gives one class the logit that it gives it, or why it predicts the number that it predicts."""

    kind: Literal["explain"] = "explain"
    label = "Explanation"
    explainer: AnyExplainer
    target: Annotated[int, Field(ge=0, le=9_999)] | None = None
    """The class to explain; None for the one that the model predicts, and for regression."""
    seed: Seed = 0
    """Start of the random numbers of sampling methods."""
    contrast: Annotated[int, Field(ge=0, le=9_999)] | None = None
    """The class that the target is held against: why the one and not the other."""
    unit: Unit = "logit"
    """What of the class is explained. Logits add up evidence; probabilities also tell of the other classes."""

    def check(self, settings: Settings) -> None:
        """Refuses a method that does not fit this data and stack, and a class that is not there."""
        super().check(settings)
        profile = self.experiment.data.profile()
        kinds = tuple(layer.kind for _, layer in all_layers(self.experiment.model.layers))
        if reason := self.explainer.reason_against(profile, kinds):
            raise SpecError(reason, hint="Choose another method.")
        for number in (self.target, self.contrast):
            if number is not None and number >= max(1, profile.n_classes):
                raise SpecError(f"There is no class {number}.", hint=f"Classes are numbered 0 to {profile.n_classes - 1}.")
        if profile.task == "regression" and (self.contrast is not None or self.unit == "probability"):
            raise SpecError("A number has no classes to compare and no probability.", hint="Explain the number itself.")
        if self.contrast is not None and self.contrast == self.target:
            raise SpecError("A class cannot be held against itself.", hint="Choose two classes.")

    def subject(self, desk: Desk) -> Subject:
        """The prediction to explain."""
        from core.explanation.prepared import subject_of

        model, step = self.model(desk)
        chosen = self.chosen(desk)
        behind = background(chosen.splits, BACKGROUND_EXAMPLES, self.experiment.seed)
        found = subject_of(model, chosen.splits, chosen.example, behind, self.target)
        return replace(found, step=step, seed=self.seed, contrast=self.contrast, in_probability=self.unit == "probability")

    def result(self, desk: Desk) -> Any:
        report: Callable[[int, int], None] = desk.progress
        return self.explainer.attribute(self.subject(desk), report)


def own_example(splits: Splits, preparation: Preparation, picture: bytes, ref: ExampleRef) -> Chosen:
    """A picture of the visitor's own as one more example of these data, of no known class.

    Raises:
        NotApplicable: the data are no images.
        SpecError: it is no picture that can be read, or nothing is drawn on it.
    """
    from core.data.own.own_input import background_of, own_input

    originals = splits.originals[0] if splits.originals else splits.train
    ground = "any" if ref.retouched else background_of(originals.x[:BACKGROUND_EXAMPLES], splits.brightest)
    profile = splits.original_profile or splits.profile
    found = own_input(picture, profile, splits.brightest, background=ground, centred=ref.drawn)
    shown = Example(x=model_points(splits, preparation, found.x), label=-1, pixels=found.pixels)
    return Chosen(splits, shown, found.notes)


@lru_cache(maxsize=2)
def loaded(data: AnyDataset, seed: int) -> Splits:
    """The splits of a data set; kept by the lens worker for the next look at the same data."""
    return data.splits(seed)
