"""Tokens of a text in a row, each on the colour of its value; or patches over their picture. One can be chosen, if asked."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from dashboard.components.shared import declare, payload, picture_url

_component = declare("token_strip")


@dataclass(frozen=True, slots=True)
class Token:
    """One box. `background` and `ink` are CSS colours, "" for the page's own; `value` stands below the text, `title` is what a
    pointer and a screen reader get. A marked one is underlined."""

    text: str
    title: str
    value: str = ""
    background: str = ""
    ink: str = ""
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Patches:
    """The picture (H, W) or (H, W, 3) uint8 that the tokens are patches of, row by row with so many `columns`.

    `n_before` tokens come before the patches (a class token) and stand above the picture.
    """

    picture: np.ndarray
    columns: int
    n_before: int = 0


def token_strip(
    tokens: Sequence[Token],
    *,
    key: str,
    label: str,
    chosen: int = -1,
    on_pick: Callable[[int], None] | None = None,
    patches: Patches | None = None,
) -> None:
    """Show the tokens in reading order, or over their picture.

    Args:
        label: what the group is, for screen readers.
        chosen: place of the chosen one; -1 for none.
        on_pick: makes it a choice; gets the place of the newly chosen one, before the page runs again.
        patches: the picture, where tokens are patches of one.
    """

    def picked() -> None:
        place = payload(key, "pick")
        if on_pick is not None and isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(tokens):
            on_pick(place)

    data = {
        "items": [asdict(token) for token in tokens],
        "label": label,
        "chosen": chosen,
        "is_choice": on_pick is not None,
        "columns": patches.columns if patches else 0,
        "n_before": patches.n_before if patches else 0,
        "picture": picture_url(patches.picture) if patches else "",
        "ratio": patches.picture.shape[1] / patches.picture.shape[0] if patches else 1.0,
    }
    _component(key=key, data=data, on_pick_change=picked)
