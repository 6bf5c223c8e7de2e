"""An experiment as flat facts: what the table of runs shows, filters and groups by. Torch-free."""

from collections.abc import Iterator
from typing import Any

from core.errors import LayerwiseError
from core.experiment.experiment import Experiment
from core.experiment.lane import Lane
from core.models.layer import LayerChoice
from core.models.model import infer
from core.run_row import Fact
from core.spec import Choice, Spec

MAX_TEXT = 120
SIZES = ("out_features", "out_channels", "hidden_size", "embedding_dim", "p", "kernel_size")
"""What a layer is known by, the first that it has."""


def facts(experiment: Experiment, lane: Lane | None = None) -> dict[str, Fact]:
    """Settings by name, in the order of a form; those of one lane, the first if none is given."""
    lane = lane or experiment.lanes[0]
    found: dict[str, Fact] = {"data": experiment.data.label}
    found |= {f"data.{name}": value for name, value in flat(experiment.data) if not name.endswith("_share")}
    found |= {"model": model_text(experiment.model.layers), "layers": float(len(experiment.model.layers))}
    found["init"] = _label(experiment.model.init)
    if experiment.augmentation:
        found["augmentation"] = _text(one.label for one in experiment.augmentation)
    found["loss"] = _label(experiment.loss)
    found |= lane_facts(lane)
    found["batch_size"] = "full" if experiment.batch_size == "full" else float(experiment.batch_size)
    if experiment.accumulation > 1:
        found["accumulation"] = float(experiment.accumulation)
    found |= {f"budget.{name}": value for name, value in flat(experiment.budget)}
    found["seed"] = float(experiment.seed)
    if len(experiment.lanes) > 1:
        found["lanes"] = float(len(experiment.lanes))
    if experiment.repeats > 1:
        found["seeds"] = float(experiment.repeats)
    if experiment.frozen:
        found["frozen"] = _text(str(index + 1) for index in experiment.frozen)
    return found | {"precision": experiment.precision, "device": experiment.device}


def lane_facts(lane: Lane) -> dict[str, Fact]:
    """Optimizer, its numbers, schedule, and what holds the weights back."""
    found: dict[str, Fact] = {"optimizer": lane.optimizer.label}
    found |= {name: float(value) for name, value in lane.numbers().items()}
    found |= {"schedule": _label(lane.schedule)}
    if lane.regularizers:
        found["regularizers"] = _text(one.label for one in lane.regularizers)
    return found


def costs(experiment: Experiment) -> dict[str, float]:
    """ "n_parameters" and "multiply_adds" (of one example, forward); empty where they cannot be known."""
    try:
        inference = infer(experiment.model, experiment.data.profile().input_shape)
    except (LayerwiseError, OSError):  # its file may be gone
        return {}
    if inference.out_shape is None:
        return {}
    return {"n_parameters": float(inference.n_parameters), "multiply_adds": float(inference.multiply_adds)}


def model_text(layers: tuple[LayerChoice, ...]) -> str:
    """The stack in a line: `Conv2d 8, ReLU, Flatten, Linear 10`."""
    return _text(_layer_text(layer) for layer in layers)


def flat(spec: Spec, prefix: str = "") -> Iterator[tuple[str, Fact]]:
    """Every number, switch and short text of a spec by its path; of Choices within it also which one it is."""
    for name in type(spec).model_fields:
        value: Any = getattr(spec, name)
        if isinstance(value, Choice):
            yield f"{prefix}{name}", value.label
        if isinstance(value, Spec):
            yield from flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool):
            yield f"{prefix}{name}", "yes" if value else "no"
        elif isinstance(value, int | float):
            yield f"{prefix}{name}", float(value)
        elif isinstance(value, str) and value and name != "kind":
            yield f"{prefix}{name}", value[:MAX_TEXT]


def _layer_text(layer: LayerChoice) -> str:
    size = next((getattr(layer, name) for name in SIZES if isinstance(getattr(layer, name, None), int | float)), None)
    return layer.kind if size is None else f"{layer.kind} {size:g}"


def _label(spec: Any) -> str:
    return str(getattr(spec, "label", type(spec).__name__))


def _text(parts: Iterator[str]) -> str:
    """Parts in a line, cut where it gets too long."""
    text = ", ".join(parts)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 2]} …"
