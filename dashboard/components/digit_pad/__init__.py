"""A pad to draw on by mouse, finger or keyboard; what is drawn comes back as a picture."""

import base64
import binascii
from collections.abc import Callable

from dashboard.components.shared import declare, payload
from dashboard.text import _

_component = declare("digit_pad")

PREFIX = "data:image/png;base64,"
MAX_CHARACTERS = 200_000
PNG = b"\x89PNG\r\n\x1a\n"


def digit_pad(*, key: str, on_draw: Callable[[bytes], None]) -> None:
    """Show the pad.

    Args:
        on_draw: gets the drawing as a grey PNG, white strokes on black, shortly after each stroke and before the page runs
            again. Empty drawings are not sent.
    """

    def drawn() -> None:
        picture = picture_sent(payload(key, "draw"))
        if picture is not None:
            on_draw(picture)

    _component(key=key, data={"texts": _texts()}, on_draw_change=drawn)


def picture_sent(sent: object) -> bytes | None:
    """The PNG file in what the browser sent; None when it is no such thing."""
    if not isinstance(sent, str) or not sent.startswith(PREFIX) or len(sent) > MAX_CHARACTERS:
        return None
    try:
        data = base64.b64decode(sent[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if data.startswith(PNG) else None


def _texts() -> dict[str, str]:
    return {
        "pad": _("Drawing pad. Arrow keys move the pen, Space puts it down or lifts it"),
        "hint": _("Draw here with the mouse, a finger, or arrow keys and Space."),
        "down": _("The pen is down"),
        "up": _("The pen is up"),
        "clear": _("Clear"),
        "cleared": _("The pad is empty"),
        "png": _("Download PNG"),
    }
