"""How often somebody may be wrong: a few times at once, then slowly. In bounded memory, whoever asks."""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

BURST, PAUSE_S = 20, 5.0
"""Wrong codes of one address at once, and the time for each further one. A class often has one address together."""
BURST_OF_ALL, PAUSE_OF_ALL_S = 300, 1.0
"""The same for all addresses together: who has a thousand of them guesses no faster."""
MAX_ADDRESSES = 4096


class Tries:
    """Counts wrong tries. Who gives the right code is counted nowhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid_until: OrderedDict[str, float] = OrderedDict()
        """For each address the time at which all its wrong tries are forgotten; the one that was wrong last stands last."""
        self._all_paid_until = 0.0

    def wait_s(self, address: str) -> float:
        """For how long nothing of this address is looked at; 0 where it may try now."""
        own = self._paid_until.get(_place(address), 0.0) - BURST * PAUSE_S
        of_all = self._all_paid_until - BURST_OF_ALL * PAUSE_OF_ALL_S
        return max(0.0, max(own + PAUSE_S, of_all + PAUSE_OF_ALL_S) - self._clock())

    def count(self, address: str) -> None:
        """One more wrong try."""
        now, place = self._clock(), _place(address)
        self._paid_until[place] = max(now, self._paid_until.get(place, 0.0)) + PAUSE_S
        self._paid_until.move_to_end(place)
        self._all_paid_until = max(now, self._all_paid_until) + PAUSE_OF_ALL_S
        while len(self._paid_until) > MAX_ADDRESSES:
            self._paid_until.popitem(last=False)

    def __len__(self) -> int:
        """Addresses that are remembered."""
        return len(self._paid_until)


def _place(address: str) -> str:
    """An address; of the newer kind the network, since everybody has more addresses in it than can be counted."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if known.version == 4:
        return str(known)
    return str(known.ipv4_mapped or ipaddress.ip_network((known, 64), strict=False))
