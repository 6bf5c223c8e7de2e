"""An axis of steps: tokens or patches by name, as many as can be read."""

from collections.abc import Sequence

from dashboard.figures.stacks import plain
from dashboard.text import _

MAX_NAMES = 40


def token_axis(names: Sequence[str], title: str) -> dict[str, object]:
    """Settings of an axis on which step i is at place i. Words repeat, so that places are numbers and words their labels."""
    every = -(-len(names) // MAX_NAMES) or 1
    places = list(range(0, len(names), every))
    shown = [plain(short(names[place])) for place in places]
    return {"title_text": title, "tickvals": places, "ticktext": shown, "showgrid": False, "zeroline": False}


def short(name: str, most: int = 18) -> str:
    """A name that fits an axis, as it is: plotly wants it `plain`. A token may be a space, or as long as a visitor likes."""
    if not name:
        return _("(padding)")
    if not name.strip():
        return "␣"
    return name if len(name) <= most else name[: most - 1] + "…"
