"""The jobs behind the Activations lens: histograms, still units, what activates a unit, a convolution, receptive fields."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from core.data.gallery import split_named
from core.errors import NotApplicable, SpecError
from core.jobs.job import Desk
from core.jobs.lenses import ActivationsJob, WeightsJob
from core.models.layers.convolution import Conv2d
from core.models.model import infer, layer_at
from core.settings import Settings

Index = Annotated[int, Field(ge=0, le=1_000_000)]
LayerPath = Annotated[tuple[Annotated[int, Field(ge=0, le=999)], ...], Field(min_length=1, max_length=7)]
SAMPLE = 300
"""Examples over which dead and saturated units are counted."""


class ActivationHistogramsJob(WeightsJob):
    """How often each value occurs in the example, and among what every layer answers to it."""

    kind: Literal["activation_histograms"] = "activation_histograms"
    label: ClassVar[str] = "Histograms of activations"

    def result(self, desk: Desk) -> Any:
        from core.inspection.activation_histograms import activation_histograms

        maps = ActivationsJob(
            experiment=self.experiment, weights=self.weights, series=self.series, example=self.example
        ).result(desk)
        return activation_histograms(maps)


class ActivationStatisticsJob(WeightsJob):
    """Dead and saturated units over a sample of the example's split; which example of it is chosen does not matter."""

    kind: Literal["activation_statistics"] = "activation_statistics"
    label: ClassVar[str] = "Dead and saturated units"
    n: Annotated[int, Field(ge=1, le=2_000)] = SAMPLE

    def result(self, desk: Desk) -> Any:
        from core.inspection.activation_statistics import activation_statistics
        from core.inspection.top_examples import sample_of

        model, step = self.model(desk)
        splits, split = self.chosen(desk).splits, self.example.split
        here = split_named(splits, split)
        looked = sample_of(len(here), self.n, self.experiment.seed)
        layers = self.experiment.model.layers
        size = infer(self.experiment.model, splits.profile.input_shape).n_activations
        found = activation_statistics(model, layers, splits.model_input(here.x[looked]), size, desk.progress)
        return replace(found, split=split, n_split=len(here), step=step)


class TopExamplesJob(WeightsJob):
    """The examples of the example's split that activate one unit of a layer most."""

    kind: Literal["top_examples"] = "top_examples"
    label: ClassVar[str] = "What activates a unit"
    layer: Index
    unit: Index
    n: Annotated[int, Field(ge=1, le=60)] = 12

    def check(self, settings: Settings) -> None:
        """Refuses layers and units that are not there."""
        super().check(settings)
        n_layers = len(self.experiment.model.layers)
        if self.layer >= n_layers:
            raise SpecError(f"There is no layer {self.layer + 1}.", hint=f"This stack has {n_layers}.")
        inference = infer(self.experiment.model, self.experiment.data.profile().input_shape)
        n_units = n_units_of(inference.at((self.layer,)).out_shape)
        if self.unit >= n_units:
            raise SpecError(f"This layer has no unit {self.unit}.", hint=f"Its units are numbered 0 to {n_units - 1}.")

    def result(self, desk: Desk) -> Any:
        from core.inspection.top_examples import Wanted, top_examples

        model, step = self.model(desk)
        wanted = Wanted(self.example.split, self.layer, self.unit, self.n, self.experiment.seed)
        found = top_examples(model, self.experiment.model, self.chosen(desk).splits, wanted, desk.progress)
        return replace(found, step=step)


class ConvolutionJob(WeightsJob):
    """All that makes up one output map of a Conv2d."""

    kind: Literal["convolution"] = "convolution"
    label: ClassVar[str] = "Arithmetic of a convolution"
    path: LayerPath
    channel: Index = 0

    def check(self, settings: Settings) -> None:
        """Refuses other layers, and maps that are not there."""
        super().check(settings)
        layer = _layer_at(self, self.path)
        if not isinstance(layer, Conv2d):
            raise NotApplicable("There is no Conv2d at this place.", hint="Choose one of the Conv2d layers.")
        if self.channel >= layer.out_channels:
            last = layer.out_channels - 1
            raise SpecError(f"This layer has no output map {self.channel}.", hint=f"Its maps are numbered 0 to {last}.")

    def result(self, desk: Desk) -> Any:
        import torch

        from core.inspection.convolution import convolution_parts

        model, step = self.model(desk)
        x = torch.from_numpy(self.chosen(desk).example.x)
        return convolution_parts(model, self.experiment.model, x, self.path, self.channel, step)


class ReceptiveFieldJob(WeightsJob):
    """Which pixels each output of a layer can depend on, with one of its maps."""

    kind: Literal["receptive_field"] = "receptive_field"
    label: ClassVar[str] = "Receptive fields"
    layer: Index
    unit: Index = 0

    def check(self, settings: Settings) -> None:
        """Refuses what has no receptive field."""
        from core.inspection.receptive_field import field_spans

        super().check(settings)
        if self.experiment.data.original_profile().modality != "image":
            raise NotApplicable("Receptive fields are drawn on images.", hint="Choose a data set of images.")
        _layer_at(self, (self.layer,))
        field_spans(self.experiment.model.layers, self.experiment.data.profile().input_shape, (self.layer,))

    def result(self, desk: Desk) -> Any:
        import torch

        from core.inspection.activations import activation_maps
        from core.inspection.receptive_field import field_size, field_spans
        from core.results.receptive_field import ReceptiveField

        model, step = self.model(desk)
        chosen = self.chosen(desk)
        layers, shape = self.experiment.model.layers, chosen.splits.profile.input_shape
        kinds = [layer.kind for layer in layers]
        maps = activation_maps(model, torch.from_numpy(chosen.example.x), -1, (), step, kinds)
        shown = maps.maps[self.layer]
        if self.unit >= len(shown):
            raise SpecError(f"This layer has no map {self.unit}.", hint=f"Its maps are numbered 0 to {len(shown) - 1}.")
        rows, columns = field_spans(layers, shape, (self.layer,))
        return ReceptiveField(
            layer_name=maps.layer_names[self.layer],
            unit=self.unit,
            n_units=len(shown),
            rows=rows,
            columns=columns,
            size=field_size(layers, shape, (self.layer,)),
            map=shown[self.unit],
            picture=chosen.example.pixels,
            step=step,
        )


def n_units_of(shape: tuple[int, ...] | None) -> int:
    """Channels of maps, features of a vector or of each step; 0 where the layer has no output."""
    if not shape:
        return 0
    return shape[0] if len(shape) == 3 else shape[-1]


def _layer_at(job: WeightsJob, path: tuple[int, ...]) -> Any:
    """The layer at a path that came from outside.

    Raises:
        SpecError: there is none.
    """
    try:
        return layer_at(job.experiment.model.layers, path)
    except IndexError:
        raise SpecError("There is no such layer.", hint="Choose one of the layers of this stack.") from None
