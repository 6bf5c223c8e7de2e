"""Keys for whoever presents, and the list of them; by one listener of the page, which leaves alone what uses keys itself."""

from collections.abc import Callable, Mapping

from dashboard.components.shared import declare, payload
from dashboard.text import _

_component = declare("presenter_keys")


def presenter_keys(keys: Mapping[str, str], *, key: str, on_press: Callable[[str], None]) -> None:
    """Listen to these keys (as `KeyboardEvent.key`, in lower case), each with what it does in words.

    Args:
        on_press: gets the key, before the page runs again; one that is not among `keys` is ignored.
    """

    def pressed() -> None:
        sent = payload(key, "press")
        if isinstance(sent, str) and sent in keys:
            on_press(sent)

    names = {" ": _("Space"), "arrowleft": "←", "arrowright": "→", "end": _("End")}
    texts = {
        "title": _("Keys"),
        "button": _("Keys"),
        "help": _("Show or hide this list"),
        "leave": _("Leave the projector view"),
        "close": _("Close"),
    }
    data = {"keys": [{"key": name, "text": text} for name, text in keys.items()], "names": names, "texts": texts}
    _component(key=key, data=data, on_press_change=pressed)
