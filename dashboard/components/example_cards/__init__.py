"""Examples as cards: what each is, what the model says of it with probabilities, and a button that leads to why."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from dashboard.components.shared import declare, payload
from dashboard.text import _

_component = declare("example_cards")

Event = Literal["pick", "explain"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One answer of the model: its name, its share in [0, 1] of the bar's width, what is written behind it."""

    name: str
    share: float
    value: str
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One example. `picture` is an address (`picture_url`), "" for none; `text` is the row or the sentence instead."""

    title: str
    picture: str = ""
    text: str = ""
    bars: tuple[Bar, ...] = ()


def example_cards(
    cards: Sequence[Card],
    *,
    chosen: int,
    key: str,
    label: str,
    on_pick: Callable[[int], None] | None = None,
    on_explain: Callable[[int], None] | None = None,
) -> None:
    """Show the cards in rows.

    Args:
        chosen: place of the chosen one; -1 for none.
        label: what the group is, for screen readers.
        on_pick: gets the place of a card that was pressed, before the page runs again.
        on_explain: the same for the button below a card; without it there is none.
    """

    def told(event: Event, then: Callable[[int], None] | None) -> Callable[[], None]:
        def sent() -> None:
            place = payload(key, event)
            if then and isinstance(place, int) and not isinstance(place, bool) and 0 <= place < len(cards):
                then(place)

        return sent

    data = {
        "cards": [asdict(card) | {"bars": [_drawable(bar) for bar in card.bars]} for card in cards],
        "chosen": chosen,
        "label": label,
        "is_choice": on_pick is not None,
        "has_explain": on_explain is not None,
        "texts": {"explain": _("Explain"), "explain_this": _("Explain this prediction: {title}"), "right": _("right")},
    }
    _component(key=key, data=data, on_pick_change=told("pick", on_pick), on_explain_change=told("explain", on_explain))


def _drawable(bar: Bar) -> dict[str, object]:
    """What a browser can read: JSON has no number for a model that diverged."""
    return asdict(bar) | {"share": bar.share if math.isfinite(bar.share) else 0.0}
