"""The ear of a page that is in a room: it runs the page again when something else is shown there."""

from dataclasses import dataclass
from typing import Literal

from dashboard.components.shared import declare
from dashboard.text import _

_component = declare("room_follow")


@dataclass(frozen=True, slots=True)
class Heard:
    """What the page knows of its room."""

    room: str
    server: str
    """Which one made this page."""
    seq: int
    """Number of what was taken over."""
    part: Literal["present", "follow", "own"] = "follow"
    """Who is on their own hears only that the room was closed."""


def room_follow(heard: Heard, *, key: str) -> None:
    """A follower's page runs again when the number has changed; a presenter's tells how many follow. Where no connection can be
    made, it says so and offers to look again."""
    texts = {
        "one": _("{n} follows"),
        "many": _("{n} follow"),
        "none": _("nobody follows now"),
        "offline": _("Not connected to the room"),
        "again": _("Refresh"),
    }
    data = {"room": heard.room, "seq": heard.seq, "server": heard.server, "part": heard.part, "texts": texts}
    _component(key=key, data=data, on_moved_change=lambda: None)
