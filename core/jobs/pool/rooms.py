"""Rooms: a presenter shows, others follow. Who may do what with one, for the supervisor."""

import time
from collections.abc import Callable
from dataclasses import replace

from core.errors import NotYours, SpecError
from core.jobs.pool.control import Answer
from core.jobs.pool.library import plain
from core.jobs.pool.ownership import is_theirs, owner_of
from core.store.protocol import RunWriter
from core.store.rooms import ROOM_ID, Member, Room

MAX_ROOM_NAME, MAX_MEMBER_NAME = 60, 30
MAX_STATE_BYTES = 64 * 1024
MAX_ROOMS, MAX_OWN_ROOMS, MAX_MEMBERS = 500, 5, 300
ROOM_DAYS = 3.0
"""A room in which nothing was shown for so long is closed."""
DAY_S = 86_400.0
SWEEP_S = 600.0


class Rooms:
    """Answers requests about rooms. Every method belongs inside a transaction."""

    def __init__(self, store: RunWriter) -> None:
        self._store = store
        self._swept = -SWEEP_S
        self.asks: dict[str, Callable[[Answer], Answer]] = {
            "open_room": self._open,
            "show": self._show,
            "rename_room": self._rename,
            "close_room": self._close,
            "join": self._join,
            "leave": self._leave,
        }

    def note_run(self, request: Answer, run: str) -> None:
        """A run that was submitted from within a room becomes the newest of its member."""
        room, owner = request.get("in_room"), owner_of(request)
        member = self._member(room, owner) if isinstance(room, str) else None
        if member is not None:
            self._store.put_member(replace(member, run=run))

    def sweep(self) -> None:
        """Close the rooms that nobody has presented in for days."""
        now = time.monotonic()
        if now - self._swept < SWEEP_S:
            return
        self._swept = now
        for room in self._store.old_rooms(time.time() - ROOM_DAYS * DAY_S, MAX_ROOMS):
            self._store.close_room(room)

    def _open(self, request: Answer) -> Answer:
        """A new room, which its presenter has joined."""
        room, owner = _text(request, "room"), _presenter(request)
        if not ROOM_ID.fullmatch(room):
            raise SpecError("This cannot be the id of a room.", hint="Leave the choice of the id to the client.")
        known = self._store.room(room)
        if known is not None:  # the same request again, after its answer was lost
            _check_presenter(known, request)
            return {"room": room}
        if len(self._store.rooms_of(owner)) >= MAX_OWN_ROOMS:
            raise SpecError(f"You have {MAX_OWN_ROOMS} rooms open.", hint="Close one of them first.")
        if self._store.n_rooms() >= MAX_ROOMS:
            raise SpecError(f"There are {MAX_ROOMS} rooms open.", hint="Wait until somebody closes one.")
        now = time.time()
        name = plain(_text(request, "name"), MAX_ROOM_NAME)
        self._store.open_room(Room(room, owner, name, 0, "{}", now, now))
        self._store.put_member(Member(room, owner, plain(_text(request, "presenter"), MAX_MEMBER_NAME), "", now))
        return {"room": room}

    def _show(self, request: Answer) -> Answer:
        room, state = self._own(request), _text(request, "state")
        size = len(state.encode())
        if size > MAX_STATE_BYTES:
            message = f"What you show takes {size:,} bytes, and {MAX_STATE_BYTES:,} are possible."
            raise SpecError(message, hint="Show a smaller experiment.")
        self._store.show_in_room(room.id, state, time.time())
        return {"seq": room.seq + 1}

    def _rename(self, request: Answer) -> Answer:
        self._store.rename_room(self._own(request).id, plain(_text(request, "name"), MAX_ROOM_NAME))
        return {}

    def _close(self, request: Answer) -> Answer:
        room = self._known(request)
        if not is_theirs(room.owner, request):  # a host may end what a stranger shows
            _check_presenter(room, request)
        self._store.close_room(room.id)
        return {}

    def _join(self, request: Answer) -> Answer:
        """Come in, or take another name; without one a newcomer gets a number."""
        room, owner = self._known(request), _presenter(request)
        name = plain(_text(request, "name"), MAX_MEMBER_NAME)
        known = self._member(room.id, owner)
        if known is not None:
            self._store.put_member(replace(known, name=name or known.name))
            return {"name": name or known.name}
        members = self._store.members(room.id)
        if len(members) >= MAX_MEMBERS:
            raise SpecError(f"This room is full: {MAX_MEMBERS} are in it.", hint="Wait until somebody leaves.")
        name = name or _guest({one.name for one in members})
        self._store.put_member(Member(room.id, owner, name, "", time.time()))
        return {"name": name}

    def _leave(self, request: Answer) -> Answer:
        self._store.forget_member(self._known(request).id, owner_of(request))
        return {}

    def _own(self, request: Answer) -> Room:
        room = self._known(request)
        _check_presenter(room, request)
        return room

    def _known(self, request: Answer) -> Room:
        room = self._store.room(_text(request, "room"))
        if room is None:
            raise SpecError("There is no such room (any more).", hint="Ask the presenter for the link.")
        return room

    def _member(self, room: str, owner: str) -> Member | None:
        return next((one for one in self._store.members(room) if one.owner == owner), None)


def _presenter(request: Answer) -> str:
    """The space that asks. Unlike a run, a room cannot be nobody's: then everybody could show in it."""
    owner = owner_of(request)
    if not owner:
        raise SpecError("A room needs somebody to whom it belongs.", hint="Open the page anew.")
    return owner


def _check_presenter(room: Room, request: Answer) -> None:
    """Also a host does not show in the room of another."""
    if "by" in request and room.owner != owner_of(request):
        raise NotYours("Only its presenter can do this in a room.", hint="Open a room of your own.")


def _guest(taken: set[str]) -> str:
    """A name for one who gives none: the first number that nobody has."""
    n = next(n for n in range(1, MAX_MEMBERS + 2) if f"Guest {n}" not in taken)
    return f"Guest {n}"


def _text(request: Answer, name: str) -> str:
    value = request.get(name, "")
    if not isinstance(value, str):
        raise SpecError(f"{name}: this must be text.", hint=f"Change {name}.")
    return value
