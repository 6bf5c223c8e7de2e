"""A strip of pictures to choose one from, with the mouse or the arrow keys."""

from collections.abc import Callable, Sequence

import numpy as np

from dashboard.components.shared import declare, payload, picture_url

_component = declare("image_picker")

MAX_STRIP = 40
"""More pictures than this stand in rows, all in sight; fewer in one row that scrolls."""


def image_picker(
    pictures: np.ndarray,
    names: Sequence[str],
    chosen: int,
    *,
    key: str,
    label: str,
    on_pick: Callable[[int], None],
) -> None:
    """Show the pictures as one group of radio buttons.

    Args:
        pictures: (N, H, W) or (N, H, W, 3) uint8.
        names: what each is, for screen readers and below the picture.
        chosen: place of the chosen one; -1 for none.
        label: what the group is for.
        on_pick: gets the place of the newly chosen one, before the page runs again.
    """

    def picked() -> None:
        place = payload(key, "pick")
        if isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(names):
            on_pick(place)

    data = {
        "pictures": [picture_url(picture) for picture in pictures],
        "names": list(names),
        "chosen": chosen,
        "label": label,
        "wrapped": len(pictures) > MAX_STRIP,
    }
    _component(key=key, data=data, on_pick_change=picked)
