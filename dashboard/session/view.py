"""How all is shown: as always, or large and with few controls for a projector."""

from dashboard.session import state

LINK, PROJECTOR = "view", "projector"


def is_projector() -> bool:
    """Whether the page is shown to a room."""
    return state.kept(LINK) == PROJECTOR


def set_projector(is_on: bool) -> None:
    """Show it to a room, or as always."""
    state.keep(LINK, PROJECTOR if is_on else "")


def toggle_projector() -> None:
    set_projector(not is_projector())
