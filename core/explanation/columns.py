"""The columns of a table as people know them: a category is one column, however many inputs the model has for it."""

from dataclasses import dataclass

import numpy as np

from core.data.dataset import DataProfile, DatasetChoice, Splits


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `places` are its inputs in the model's row; `categories` its names in the order of their numbers, () for a
    column of numbers."""

    name: str
    places: tuple[int, ...]
    categories: tuple[str, ...] = ()


def columns_of(data: DatasetChoice) -> tuple[Column, ...]:
    """The columns of a table, features of points, or principal components, as the model's row has them. Torch-free."""
    profile, original, preparation = data.profile(), data.original_profile(), data.preparation
    if preparation.pca is not None or not any(original.categories):
        return tuple(Column(name, (i,)) for i, name in enumerate(profile.feature_names))
    columns, place = [], 0
    for i, categories in enumerate(original.categories):
        width = len(categories) if categories and preparation.one_hot else 1
        name = _original_name(original, i)
        columns.append(Column(name, tuple(range(place, place + width)), categories))
        place += width
    return tuple(columns)


def _original_name(profile: DataProfile, i: int) -> str:
    return profile.feature_names[i] if i < len(profile.feature_names) else f"column {i + 1}"


def own_values(splits: Splits, column: Column, x: np.ndarray) -> np.ndarray:
    """What a column holds in rows (N, F) as the model receives them: (N,) float64 in its own unit, or numbers of categories."""
    places = list(column.places)
    shift, scale = splits.shift[places].astype(np.float64), splits.scale[places].astype(np.float64)
    is_constant = scale == 0
    values: np.ndarray = np.where(is_constant, 0, x[:, places] / np.where(is_constant, 1, scale)) + shift
    if len(places) > 1:
        values = values.argmax(1)[:, None].astype(np.float64)
    alone: np.ndarray = np.rint(values[:, 0]) if column.categories else values[:, 0]
    return alone


def model_values(splits: Splits, column: Column, values: np.ndarray) -> np.ndarray:
    """What the model receives for values (G,) of a column, (G, places) float32: the inverse of `own_values`."""
    places = list(column.places)
    wide = np.eye(len(places))[values.astype(int)] if len(places) > 1 else values[:, None]
    scaled: np.ndarray = ((wide - splits.shift[places]) * splits.scale[places]).astype(np.float32)
    return scaled
