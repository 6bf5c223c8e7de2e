"""What a model needs besides its weights to answer for raw examples: the preparation as numbers, and names for its outputs."""

import json
from typing import Any

import numpy as np

from core.data.dataset import DatasetChoice, Projection, Splits
from core.data.own.reading.tokens import WORD
from core.data.own.text import OwnText
from core.data.sequence import Sentiment
from core.models.output import OutputForm

FORMAT_VERSION = 1


def description(data: DatasetChoice, splits: Splits, form: OutputForm) -> dict[str, Any]:
    """All of it as plain JSON: what an example is, how it is prepared, and how the outputs are read.

    Args:
        splits: prepared, since what was fitted on the training split is part of it.
        form: what the last layer gives (`core.models.output.output_form`).
    """
    original = splits.original_profile or splits.profile
    return {
        "format": "layerwise-service",
        "version": FORMAT_VERSION,
        "modality": original.modality,
        "task": original.task,
        "classes": list(original.class_names),
        "target": original.target_name,
        "output": {"form": form, "shift": splits.target_shift, "scale": splits.target_scale},
        "input": _sequence(data, splits) if original.modality == "sequence" else _numbers(data, splits),
    }


def description_bytes(about: dict[str, Any]) -> bytes:
    """The description as a JSON file; numbers keep every bit."""
    return (json.dumps(about, ensure_ascii=False, allow_nan=False) + "\n").encode()


def raw_example(data: DatasetChoice, splits: Splits, index: int = 0) -> Any:
    """A validation example in the form in which the service takes it."""
    original = splits.original_profile or splits.profile
    row = (splits.originals[1] if splits.originals else splits.validation).x[index]
    if original.modality == "sequence":
        return [splits.vocabulary[number] for number in row.tolist() if number != 0]
    if original.modality == "image":
        return row.tolist()
    names = original.feature_names or tuple(f"column {i + 1}" for i in range(len(row)))
    categories = original.categories or ((),) * len(row)
    return {name: _cell(value, known) for name, value, known in zip(names, row.tolist(), categories, strict=True)}


def _cell(value: float, categories: tuple[str, ...]) -> float | str | None:
    """A number, the name of a category, or None for a gap."""
    if not np.isfinite(value):
        return None
    if categories:
        return categories[int(value)] if 0 <= value < len(categories) else None
    return value


def _sequence(data: DatasetChoice, splits: Splits) -> dict[str, Any]:
    unit = data.tokens if isinstance(data, OwnText) else data.unit if isinstance(data, Sentiment) else None
    is_cut_here = not (isinstance(data, Sentiment) and data.language == "zh" and unit == "word")
    return {
        "shape": list(splits.profile.input_shape),
        "vocabulary": list(splits.vocabulary),
        "tokens": unit if is_cut_here else None,
        "word": WORD.pattern,
    }


def _numbers(data: DatasetChoice, splits: Splits) -> dict[str, Any]:
    original = splits.original_profile or splits.profile
    return {
        "shape": list(original.input_shape),
        "names": list(original.feature_names),
        "categories": [list(known) for known in original.categories],
        "one_hot": data.preparation.one_hot and any(original.categories),
        "stand_ins": None if splits.stand_ins is None else splits.stand_ins.tolist(),
        "shift": _array(splits.shift),
        "scale": _array(splits.scale),
        "projection": _projection(splits.projection),
        "brightest": splits.brightest,
    }


def _projection(projection: Projection | None) -> dict[str, Any] | None:
    if projection is None:
        return None
    return {"centre": projection.centre.tolist(), "directions": projection.directions.tolist()}


def _array(values: np.ndarray) -> dict[str, Any]:
    """Values with their shape, which may be one number for a whole channel."""
    return {"shape": list(values.shape), "values": values.astype(np.float32).ravel().tolist()}
