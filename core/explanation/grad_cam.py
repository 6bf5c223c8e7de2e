"""Grad-CAM: where a layer of maps found evidence."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from core.data.dataset import DataProfile
from core.errors import NotApplicable, SpecError
from core.explanation.evaluations import Evaluations
from core.explanation.explainer import ExplainerChoice, Progress, Subject
from core.models.model import ModelSpec, all_layers, infer, layer_number
from core.models.placed import inner_stacks
from core.results.attribution import Attribution
from core.types import Shape

if TYPE_CHECKING:
    import torch
    from torch import nn

SMALLEST_MAP, GOOD_MAP = 4, 7
"""Sides of a feature map: below the first Grad-CAM cannot say where, from the second on it says it well."""
WITH_MAPS = ("Conv2d", "Backbone")
"""Kinds of layers that hold a convolution."""


class GradCam(ExplainerChoice):
    """Shows where in the image the last convolution found evidence for the class."""

    label: ClassVar[str] = "Grad-CAM"
    source: ClassVar[str] = "Selvaraju et al. 2017, Grad-CAM: visual explanations via gradient-based localization"
    kind: Literal["grad_cam"] = "grad_cam"
    layer: str = Field("", pattern=r"^(\d{1,2}([a-h]?\.\d{1,2})*)?$", max_length=20)
    """Number of the layer whose maps are read, as the builder counts them; empty for the last convolution that sees places."""

    def reason_against(self, profile: DataProfile, layer_kinds: tuple[str, ...]) -> str | None:
        """Needs an image and a convolution."""
        if profile.modality != "image":
            return "Grad-CAM points at places in an image, and this data set has no images."
        if not any(kind in WITH_MAPS for kind in layer_kinds):
            return "Grad-CAM reads the maps of a convolution, and this model has none. Add a Conv2d layer."
        return None

    def attribute(self, subject: Subject, progress: Progress) -> Attribution:
        """Evidence at each pixel, at least 0: gradient-weighted maps of the layer, enlarged bilinearly.

        Raises:
            NotApplicable: no convolution has maps of at least 4 × 4, or the chosen layer has no maps.
            SpecError: there is no such layer.
        """
        import torch
        from torch.nn.functional import interpolate

        evaluations = Evaluations(subject, progress, planned=1)
        with torch.inference_mode(False), torch.enable_grad():
            x = subject.x.clone().requires_grad_()
            layers = _chosen_layer(subject.module, self.layer) if self.layer else _convolutions(subject.module)
            maps, answer = _maps(evaluations, layers, x)
            read = _last_with_places(maps, is_chosen=bool(self.layer))
            (slope,) = torch.autograd.grad(answer.sum(), read.maps)
        cam = (slope.mean((2, 3), keepdim=True) * read.maps.detach()).sum(1, keepdim=True).relu()  # (1, 1, h, w)
        heat = interpolate(cam, tuple(x.shape[2:]), mode="bilinear")[0, 0]
        notes = [f"Read from layer {read.name}, whose maps have {read.height} × {read.width} pixels."]
        if not heat.any():
            notes.append(f"This layer found nothing that speaks for {subject.target_name}.")
        drafted = evaluations.drafted(self, heat.numpy())
        return replace(drafted, unit="relative", output_unit=drafted.unit, signed=False, notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class CamLayer:
    """A layer that Grad-CAM can read: its number in the builder, its kind, and the size of its maps in pixels."""

    number: str
    kind: str
    height: int
    width: int


def cam_layers(model: ModelSpec, input_shape: Shape) -> tuple[CamLayer, ...]:
    """The layers from which Grad-CAM can be read, those inside of others too. Torch-free."""
    inference, found = infer(model, input_shape), []
    for path, layer in all_layers(model.layers):
        shape = inference.at(path).out_shape
        if shape is not None and len(shape) == 3 and min(shape[1:]) >= SMALLEST_MAP:
            found.append(CamLayer(layer_number(model.layers, path), layer.kind, shape[1], shape[2]))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Read:
    """The layer that is read: its name, and its maps (1, C, height, width) with their graph."""

    name: str
    maps: "torch.Tensor"

    @property
    def height(self) -> int:
        return int(self.maps.shape[2])

    @property
    def width(self) -> int:
        return int(self.maps.shape[3])


def _maps(
    evaluations: Evaluations, layers: "dict[str, nn.Module]", x: "torch.Tensor"
) -> "tuple[dict[str, torch.Tensor], torch.Tensor]":
    """What each layer gives, and the answer (1,), in one pass. (captum's LayerGradCam makes one more for each layer's size.)"""
    maps: dict[str, torch.Tensor] = {}

    def keep(name: str) -> "Callable[[nn.Module, object, torch.Tensor], None]":
        return lambda layer, given, output: maps.update({name: output})

    hooks = [layer.register_forward_hook(keep(name)) for name, layer in layers.items()]
    try:
        answer = evaluations.forward(x)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: maps[name] for name in layers if name in maps}, answer


def _chosen_layer(module: "nn.Module", number: str) -> "dict[str, nn.Module]":
    """The layer with this number, as the builder counts them, by its name."""
    layer = numbered_module(module, number)
    return {f"{number} {type(layer).__name__}": layer}


def numbered_module(module: "nn.Module", number: str) -> "nn.Module":
    """The module of a layer by its number: `4`, in a skip connection `4.2`, in a second branch `4b.2`.

    Raises:
        SpecError: there is none.
    """
    stack, layer = module, module
    for index, letter in re.findall(r"(\d+)([a-h]?)", number):
        children = list(stack.children())
        if not 1 <= int(index) <= len(children):
            raise SpecError(f"There is no layer {number}.", hint="Layers are numbered from 1, as in the builder.")
        layer = children[int(index) - 1]
        branches = inner_stacks(layer) or (layer,)
        stack = branches[min("abcdefgh".find(letter or "a"), len(branches) - 1)]
    return layer


def _convolutions(module: "nn.Module") -> "dict[str, nn.Module]":
    """All convolutions by their names. What fits a skip to its sum is none: it stands after the inner layers, and looks at
    less than they do."""
    from torch import nn

    named = module.named_modules()
    return {_label(name): one for name, one in named if isinstance(one, nn.Conv2d) and not name.endswith("projection")}


def _last_with_places(maps: "dict[str, torch.Tensor]", *, is_chosen: bool) -> _Read:
    """The last layer with maps of at least 7 × 7, or else of at least 4 × 4.

    Raises:
        NotApplicable: there is none.
    """
    sides = {name: min(found.shape[2:]) for name, found in maps.items() if found.ndim == 4}
    for wanted in (SMALLEST_MAP,) if is_chosen else (GOOD_MAP, SMALLEST_MAP):
        for name in reversed(sides):
            if sides[name] >= wanted:
                return _Read(name, maps[name])
    if is_chosen:
        raise NotApplicable(
            f"Layer {next(iter(maps)).partition(' ')[0]} has no maps of at least {SMALLEST_MAP} × {SMALLEST_MAP} pixels.",
            hint="Choose a convolution, or a layer near one.",
        )
    raise NotApplicable(
        f"No convolution of this model has maps of at least {SMALLEST_MAP} × {SMALLEST_MAP} pixels.",
        hint="Pool later or less, so that the last convolution still sees places.",
    )


def _label(name: str) -> str:
    """A module's name as the screens number layers, from 1: "0" is `1 Conv2d`, and "3.inner.0" is `4 (inner.0)`."""
    number, _, inside = name.partition(".")
    if not number.isdigit():
        return name
    return f"{int(number) + 1} ({inside})" if inside else f"{int(number) + 1} Conv2d"
