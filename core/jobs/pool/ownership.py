"""Whose a run is, and who may change it. Pure.

A request that names no visitor (`by`) comes from whoever owns the data folder: nobody else reaches the supervisor's socket.
"""

from typing import Any

from core.errors import NotYours, SpecError
from core.run_row import MAX_NAME
from core.store.protocol import RunRecord


def owner_of(request: dict[str, Any]) -> str:
    """To whom a run belongs that is asked for here; empty for nobody in particular.

    Raises:
        SpecError: that is no text, or too long.
    """
    owner = request.get("by", request.get("owner", ""))
    if not isinstance(owner, str) or len(owner) > MAX_NAME or not owner.isprintable():
        raise SpecError("owner: this must be a short text.", hint="Leave the owner to the client.")
    return owner


def may_change(owned: str, owner: str, *, is_host: bool) -> bool:
    """Whether a visitor may stop, change or delete a run. What belongs to nobody in particular is everybody's."""
    return is_host or owned in ("", owner)


def is_theirs(owned: str, request: dict[str, Any]) -> bool:
    """Whether who asks may change what belongs to `owned`."""
    return "by" not in request or may_change(owned, owner_of(request), is_host=request.get("as_host") is True)


def check_may_change(record: RunRecord, request: dict[str, Any]) -> None:
    """Refuse a change of somebody else's run.

    Raises:
        NotYours: it is not this visitor's.
    """
    if not is_theirs(record.owner, request):
        raise NotYours("This run belongs to somebody else: you can watch it.", hint="Fork it, or train it again, to change it.")
