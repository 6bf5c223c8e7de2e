"""What the front asks about rooms, as a part of the client."""

import secrets

from core.jobs.pool.control import Answer

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_room_id() -> str:
    """Unguessable, and short enough to be typed from a wall: "kx7m-2qpd-9vth"."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(12))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


class RoomClient:
    """Each method speaks for the visitor to whom the client is bound.

    All raise SpecError where the room is gone or it is refused (NotYours for what only its presenter may do), and PoolError.
    """

    def open_room(self, name: str = "", presenter: str = "") -> str:
        """A room that belongs to this visitor; its id.

        Args:
            name: of the room.
            presenter: what the presenter is called among the members.
        """
        # The id is chosen here, so that asking again after a lost answer does not make a second room.
        asked = {"ask": "open_room", "room": new_room_id(), "name": name, "presenter": presenter}
        return str(self._ask(asked)["room"])

    def show(self, room: str, state: str) -> int:
        """Show another state (JSON text of the page) to all who follow; its number. Only the presenter may."""
        return int(self._ask({"ask": "show", "room": room, "state": state})["seq"])

    def rename_room(self, room: str, name: str) -> None:
        """Only the presenter may."""
        self._ask({"ask": "rename_room", "room": room, "name": name})

    def close_room(self, room: str) -> None:
        """Only the presenter may, and the host. Followers keep what they have in hand."""
        self._ask({"ask": "close_room", "room": room})

    def join(self, room: str, name: str = "") -> str:
        """Be a member from now on, or take another name; the name that was given."""
        return str(self._ask({"ask": "join", "room": room, "name": name})["name"])

    def leave(self, room: str) -> None:
        """Be no member any more."""
        self._ask({"ask": "leave", "room": room})

    def _ask(self, request: Answer) -> Answer:
        raise TypeError("a client asks its supervisor here")
