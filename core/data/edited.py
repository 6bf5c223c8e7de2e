"""An example with some of it changed by hand: what if this number, or these words, had been other?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.data.dataset import Splits
from core.data.gallery import Example
from core.data.plane import Plane
from core.data.preparation import Preparation
from core.data.prepare import model_points
from core.data.sequence import text_of
from core.errors import NotApplicable, SpecError

COORDINATES = ("x1", "x2")
"""Of a point in the plane."""


def with_values(splits: Splits, preparation: Preparation, example: Example, values: Sequence[tuple[int, float]]) -> Example:
    """A row with other numbers, before any preparation, in the columns `values` names by place; nobody knows its class.

    Raises:
        NotApplicable: the example has no columns.
        SpecError: there is no such column, or its category is not one that the data have.
    """
    if example.raw is None:
        raise NotApplicable("Only rows of a table have numbers to change.", hint="Choose an example of a table.")
    raw = example.raw.copy()
    original = splits.original_profile or splits.profile
    for column, value in values:
        if not 0 <= column < len(raw):
            raise SpecError(f"There is no column {column}, there are {len(raw)}.", hint=f"Columns are 0 to {len(raw) - 1}.")
        categories = original.categories[column] if original.categories else ()
        if categories and value not in range(len(categories)):
            raise SpecError(
                f"{example.raw_names[column]} has no category {value:g}.", hint=f"Categories are 0 to {len(categories) - 1}."
            )
        raw[column] = value
    return replace(example, x=model_points(splits, preparation, raw[None]), raw=raw, label=-1, target=None)


def at_place(
    splits: Splits, data: Plane, example: Example, place: np.ndarray, values: Sequence[tuple[int, float]] = ()
) -> Example:
    """A point that lies at `place` (2,), or elsewhere where `values` say so, with its coordinates as its row.

    All features are those of the new place. A point that was moved has no known class.

    Raises:
        SpecError: a point has two coordinates, and `values` name another.
    """
    raw = place.astype(np.float32).copy()
    for column, value in values:
        if column not in range(len(COORDINATES)):
            raise SpecError(f"There is no coordinate {column}.", hint="A point has the coordinates 0 and 1.")
        raw[column] = value
    example = replace(example, raw=raw, raw_names=COORDINATES)
    if not values:
        return example
    x = model_points(splits, data.preparation, data.features_of(raw[None]))
    return replace(example, x=x, label=-1, target=None)


def with_hidden(splits: Splits, example: Example, hidden: Sequence[int]) -> Example:
    """A text without the tokens at these places: the others move together, with padding on the left; evidence moves along.

    Raises:
        NotApplicable: the example is no text.
        SpecError: there is no token at one of the places.
    """
    if not example.tokens:
        raise NotApplicable("Only texts have words to hide.", hint="Choose an example of a text.")
    there = {place for place, token in enumerate(example.tokens) if token}
    if missing := [place for place in hidden if place not in there]:
        raise SpecError(f"There is no word at place {missing[0]}.", hint="Hide words of the text.")
    kept = sorted(there - set(hidden))
    n_padding = len(example.tokens) - len(kept)
    x = np.zeros_like(example.x)
    x[0, n_padding:] = example.x[0, kept]
    evidence = example.evidence
    if evidence is not None:
        evidence = np.concatenate([np.zeros(n_padding, bool), evidence[kept]])
    tokens = ("",) * n_padding + tuple(example.tokens[place] for place in kept)
    return replace(example, x=x, tokens=tokens, text=text_of(x[0], splits.vocabulary), evidence=evidence)
