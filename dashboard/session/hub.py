"""What follows something for all its viewers, once per server: runs, rooms and boards alike."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

MAX_IDLE = 8


class Watched(Protocol):
    """Something with viewers."""

    n_viewers: int


F = TypeVar("F", bound=Watched)


class Hub(Generic[F]):
    """The followers of one server, by what they follow. `get` from the event loop only.

    Args:
        begin: makes the follower of something that nobody has asked for yet.
    """

    def __init__(self, begin: Callable[[str], F]) -> None:
        self._begin = begin
        self._followers: dict[str, F] = {}

    def n_viewers(self) -> int:
        """How many sockets are open, over all that is followed."""
        return sum(follower.n_viewers for follower in tuple(self._followers.values()))

    def get(self, name: str) -> F:
        """The one follower of this. A few that nobody watches are kept, so that a reload is instant."""
        follower = self._followers.pop(name, None) or self._begin(name)
        self._followers[name] = follower
        idle = [one for one, other in self._followers.items() if other.n_viewers == 0 and one != name]
        for one in idle[:-MAX_IDLE]:
            del self._followers[one]
        return follower
