"""What a client measures: how long its consumer waits, who sent what, and how many workers would end the wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

#: Seconds over which the wait is averaged, for the demand.
MEMORY_SECONDS = 60.0
#: Never ask for more than this many times the workers that there are.
MAX_GROWTH = 4.0


@dataclass(frozen=True, kw_only=True)
class ClientStats:
    """A snapshot of one client since it was opened; only `workers` and `workers_desired` may fall."""

    steps: int = 0
    """Blocks handed to the consumer."""
    seconds: float = 0.0
    """Time since the first of them was asked for."""
    waited_seconds: float = 0.0
    """Time of it in which the consumer was blocked."""
    received: Mapping[str, int] = field(default_factory=dict)
    """Blocks that each worker sent first."""
    asks: int = 0
    """Blocks asked for, all repetitions included."""
    hedges: int = 0
    """Second asks for a block that was late."""
    reasks: int = 0
    """Asks in the stead of one that came to nothing: worker lost, busy or failed, or patience at its end."""
    duplicates: int = 0
    """Blocks that came and were not wanted (any more)."""
    busy: int = 0
    """Times that a worker was too busy."""
    workers: int = 0
    """Workers that serve the stream now."""
    workers_desired: float = 1.0
    """See `Demand`."""


class Demand:
    """How many workers the consumer could use.

    Over the last minute or so the consumer took n blocks in T seconds, blocked for w of them. It got n / T
    blocks per second, and without waiting would have taken n / (T - w). Workers render independently of each
    other, so that takes T / (T - w) times the workers: desired = now / (1 - w / T), at most `MAX_GROWTH` times
    now, at least 1. T and w are sums that forget exponentially, so one slow block moves little.

    It never says fewer than now: a client that does not wait cannot know how idle the workers are. That is for
    the workers' own metrics to say.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._waited = 0.0

    def note(self, seconds: float, waited: float) -> None:
        """A step took so long, and the consumer was blocked for `waited` of it."""
        keep = math.exp(-seconds / MEMORY_SECONDS)
        self._seconds = keep * self._seconds + seconds
        self._waited = keep * self._waited + waited

    def workers_desired(self, now: int) -> float:
        """Workers that would end the wait, if there are `now`."""
        busy = 1.0 - self._waited / self._seconds if self._seconds > 0 else 1.0
        return max(1.0, now / max(busy, 1.0 / MAX_GROWTH))
