"""Rooms in a SQL store: what a presenter shows, and who follows it with which run of their own."""

import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Executable, bindparam, delete, func, insert, select, update

from core.store.schema import MEMBERS, META, ROOMS

ROOM_ID = re.compile(r"[2-9a-hj-kmnp-z]{4}(-[2-9a-hj-kmnp-z]{4}){2}", re.ASCII)
"""Twelve letters and digits that are not mistaken for each other: 59 bits, which nobody guesses over a network."""


@dataclass(frozen=True, slots=True)
class Room:
    """One room. Times in seconds since the epoch."""

    id: str
    """Unguessable; it is the capability to follow."""
    owner: str
    """The space of its presenter."""
    name: str
    seq: int
    """Rises by one with every state that is shown; 0 before the first."""
    state: str
    """What is shown, as JSON text of the page that shows it."""
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Member:
    """One space in a room, the presenter's own included. `run` is the newest that it started there, empty for none."""

    room: str
    owner: str
    name: str
    run: str
    joined: float


THERE = select(META.c.key).limit(1)
ROOM = select(*(ROOMS.c[field.name] for field in fields(Room))).where(ROOMS.c.id == bindparam("room"))
SEQ = select(ROOMS.c.seq).where(ROOMS.c.id == bindparam("room"))
MEMBERS_OF = (
    select(*(MEMBERS.c[field.name] for field in fields(Member)))
    .where(MEMBERS.c.room == bindparam("room"))
    .order_by(MEMBERS.c.joined, MEMBERS.c.owner)
)
COUNT = select(func.count()).select_from(ROOMS)
OLD = select(ROOMS.c.id).where(ROOMS.c.updated <= bindparam("before")).order_by(ROOMS.c.updated).limit(bindparam("limit"))


class RoomReads:
    """The part of a reader that rooms need. A database that is older than its tables has none."""

    _are_rooms_there = False

    def room(self, room: str) -> Room | None:
        """The room with this id; None where there is none (any more)."""
        rows = self._rows(ROOM, room=room) if self._knows_rooms() else ()
        return Room(*rows[0]) if rows else None

    def room_seq(self, room: str) -> int | None:
        """Only its `seq`: what a follower asks several times a second."""
        rows = self._rows(SEQ, room=room) if self._knows_rooms() else ()
        return int(rows[0].seq) if rows else None

    def members(self, room: str) -> tuple[Member, ...]:
        """In the order in which they joined."""
        return tuple(Member(*row) for row in self._rows(MEMBERS_OF, room=room)) if self._knows_rooms() else ()

    def _knows_rooms(self) -> bool:
        if not self._are_rooms_there:
            # the first question finds out whether there is a database at all
            self._are_rooms_there = bool(self._rows(THERE)) and self._has_table(MEMBERS.name)
        return self._are_rooms_there

    def _rows(self, statement: Executable, **values: object) -> list[Any]:
        raise TypeError("a store asks its database here")

    def _has_table(self, name: str) -> bool:
        raise TypeError("a store asks its database here")


class RoomWrites(RoomReads):
    """The part of the writer that rooms need."""

    _are_rooms_there = True

    def open_room(self, room: Room) -> None:
        self._write(insert(ROOMS), asdict(room))

    def show_in_room(self, room: str, state: str, at: float) -> None:
        """Put another state in place of the present one; `seq` rises."""
        self._write(update(ROOMS).where(ROOMS.c.id == room).values(state=state, seq=ROOMS.c.seq + 1, updated=at))

    def rename_room(self, room: str, name: str) -> None:
        self._write(update(ROOMS).where(ROOMS.c.id == room).values(name=name))

    def close_room(self, room: str) -> None:
        """Forget the room and who was in it; their runs stay theirs."""
        self._write(delete(MEMBERS).where(MEMBERS.c.room == room))
        self._write(delete(ROOMS).where(ROOMS.c.id == room))

    def put_member(self, member: Member) -> None:
        """A second one of this space replaces the first."""
        self.forget_member(member.room, member.owner)
        self._write(insert(MEMBERS), asdict(member))

    def forget_member(self, room: str, owner: str) -> None:
        self._write(delete(MEMBERS).where(MEMBERS.c.room == room, MEMBERS.c.owner == owner))

    def rooms_of(self, owner: str) -> tuple[str, ...]:
        """Ids of the rooms of a space, the one that was used last first."""
        wanted = select(ROOMS.c.id).where(ROOMS.c.owner == owner).order_by(ROOMS.c.updated.desc(), ROOMS.c.id)
        return tuple(row.id for row in self._rows(wanted))

    def n_rooms(self) -> int:
        return int(self._rows(COUNT)[0][0])

    def old_rooms(self, before: float, limit: int) -> tuple[str, ...]:
        """Ids of rooms in which nothing was shown since then, oldest first."""
        return tuple(row.id for row in self._rows(OLD, before=before, limit=limit))

    def _write(self, statement: Executable, values: Any = None) -> None:
        raise TypeError("a store asks its database here")
