"""When to speak: how often steps are reported, and how rarely something costly may be measured."""

import time


class Stopwatch:
    """Training time in seconds: runs while the loop works, stands while it waits for a reader or a resume."""

    def __init__(self, banked_s: float = 0.0) -> None:
        self.banked_s = banked_s
        self._since: float | None = time.perf_counter()

    def read(self) -> float:
        return self.banked_s + (time.perf_counter() - self._since if self._since is not None else 0.0)

    def stand(self) -> None:
        """Stop counting; `run` goes on."""
        self.banked_s, self._since = self.read(), None

    def run(self) -> None:
        self._since = time.perf_counter()


class Allowance:
    """Lets something costly happen at most every `gap_s`, and for at most `share` of the time, by its own measured cost."""

    def __init__(self, share: float, gap_s: float) -> None:
        self._share = share
        self.gap_s = gap_s
        self._cost_s = 0.0
        self._last = -float("inf")

    def is_due(self, now: float) -> bool:
        return now - self._last >= max(self.gap_s, self._cost_s / self._share)

    def spend(self, now: float, cost_s: float) -> None:
        """Take note that it happened at `now` and what it cost."""
        self._cost_s = cost_s if self._cost_s == 0 else 0.7 * self._cost_s + 0.3 * cost_s
        self._last = now
