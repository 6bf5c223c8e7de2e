"""When each waiting run will start, by playing the queue forward. Rough: nobody knows who stops early. Pure."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from core.jobs.pool.scheduling import Ask, Limits, Obstacle, Occupancy, startable


@dataclass(frozen=True, slots=True)
class Expected:
    """A run and the seconds that it still takes; None where nobody knows."""

    ask: Ask
    seconds: float | None


@dataclass(frozen=True, slots=True)
class PlaceInQueue:
    """A waiting run's place, 1 for the next to start, the seconds until then (None: unknown), and what it waits for now."""

    run: str
    place: int
    wait_s: float | None
    waits_for: Obstacle | None


def expected(waiting: Sequence[Expected], working: Sequence[Expected], limits: Limits) -> list[PlaceInQueue]:
    """The places of the waiting runs in the order in which they will start.

    Args:
        waiting: next one first.
    """
    present, seconds = Occupancy(limits), {one.ask.run: one.seconds for one in waiting}
    for one in working:
        present.add(one.ask)
    reasons = {one.ask.run: present.obstacle(one.ask) for one in waiting}
    ends = [(one.seconds, n, one.ask) for n, one in enumerate(working) if one.seconds is not None]
    heapq.heapify(ends)
    asks, now, begins = [one.ask for one in waiting], 0.0, dict[str, float]()
    while asks:
        for ask in startable(asks, present):
            begins[ask.run] = now
            takes = seconds[ask.run]
            if takes is not None:
                heapq.heappush(ends, (now + takes, len(working) + len(begins), ask))
        asks = [ask for ask in asks if ask.run not in begins]
        if not asks or not ends:
            break
        now, _, ended = heapq.heappop(ends)
        present.remove(ended)
    order = [*begins, *(ask.run for ask in asks)]
    return [PlaceInQueue(run, place, begins.get(run), reasons[run]) for place, run in enumerate(order, start=1)]
