"""How fast blocks are rendered of late; from it follows when a client that was sent away may come back."""

from __future__ import annotations

#: The weight of the newest block among all before it.
_NEWEST = 0.1
#: The shortest and longest time after which a client is asked to come back, in seconds.
SOONEST_SECONDS, LATEST_SECONDS = 0.1, 30.0


class Pace:
    """Seconds per block, an exponential average. Written by the rendering thread, read by the serving one."""

    def __init__(self) -> None:
        self._seconds: float | None = None

    def note(self, seconds: float) -> None:
        """A block took so long."""
        before = self._seconds
        self._seconds = seconds if before is None else before + _NEWEST * (seconds - before)

    def retry_seconds(self, blocks: int) -> float:
        """When so many blocks will have been rendered; a guess of a second each before any was."""
        return min(LATEST_SECONDS, max(SOONEST_SECONDS, blocks * (1.0 if self._seconds is None else self._seconds)))
