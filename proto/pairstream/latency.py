"""When a block is late: against what its worker took lately. Pure; what follows from it is `hedging.py`."""

from __future__ import annotations

from collections import deque

#: How many latencies are remembered per worker, and from how many on they are believed.
MEMORY, ENOUGH = 64, 8
#: A block is late after this many times the 95th percentile, but not before `FLOOR_SECONDS`.
FACTOR, FLOOR_SECONDS = 2.0, 0.1


class Latencies:
    """What blocks took lately, from ask to arrival.

    Args:
        ceiling: seconds after which a block is late whatever is known, or where nothing is.
    """

    def __init__(self, ceiling: float) -> None:
        self._ceiling = ceiling
        self._of: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=MEMORY)

    def note(self, worker: str, seconds: float) -> None:
        """A block took this long, or has not come for so long."""
        self._of.setdefault(worker, deque(maxlen=MEMORY)).append(seconds)
        self._all.append(seconds)

    def forget(self, worker: str) -> None:
        """The worker is gone; whoever comes under its name is another."""
        self._of.pop(worker, None)

    def limit(self, worker: str) -> float:
        """Seconds after which a block from this worker is late; of a stranger what all took is expected."""
        own = self._of.get(worker, ())
        known = sorted(own if len(own) >= ENOUGH else self._all)
        if len(known) < ENOUGH:
            return self._ceiling
        return min(self._ceiling, max(FLOOR_SECONDS, FACTOR * known[int(0.95 * (len(known) - 1))]))
