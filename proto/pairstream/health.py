"""Of the workers that serve, whom to ask first: a mute one last, a busy one not before the time that it named.

Pure, as `exchange.py` is. Who serves at all is `peers.py`; the order among equals is `routing.py`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pairstream.messages import Busy
from pairstream.routing import Router

#: Seconds until a mute worker is spoken to again; doubled each time.
PROBE_SECONDS, PROBE_MAX_SECONDS = 0.5, 8.0
#: The shortest and longest time for which a busy worker is left alone, whatever it says.
BUSY_MIN_SECONDS, BUSY_MAX_SECONDS = 0.1, 30.0


@dataclass
class _Member:
    """A worker that serves. Times are in seconds."""

    capacity: int
    heard: float = 0.0
    """When it last said something."""
    mute: bool = False
    back: float = 0.0
    """When it was last mute no longer."""
    probe_at: float = 0.0
    probe_seconds: float = PROBE_SECONDS
    busy_until: float | None = None
    busy_reason: str = ""


class Health:
    """The workers that serve one stream.

    Args:
        digest: the stream's name.
    """

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._members: dict[str, _Member] = {}
        self._busy: set[str] = set()
        self._routers: tuple[Router, Router] | None = None

    @property
    def capacity(self) -> int:
        """Pairs per second of all together."""
        return sum(member.capacity for member in self._members.values())

    def serve(self, worker: str, capacity: int) -> None:
        """The worker serves from now on, or still does, perhaps with another capacity."""
        member = self._members.get(worker)
        if member is None or member.capacity != capacity:
            self._members[worker] = _Member(capacity)
            self._busy.discard(worker)
            self._routers = None

    def drop(self, worker: str) -> None:
        """The worker does not serve any more."""
        if self._members.pop(worker, None):
            self._busy.discard(worker)
            self._routers = None

    def heard(self, worker: str, now: float) -> None:
        """It said something, so it is not mute."""
        if member := self._members.get(worker):
            member.heard = now
            if member.mute:
                member.mute, member.back, member.probe_seconds = False, now, PROBE_SECONDS
                self._routers = None

    def silent_since(self, worker: str, asked: float) -> float:
        """Since when a worker that was asked for something at `asked` has said nothing."""
        return max(asked, self._members[worker].heard)

    def back_since(self, worker: str) -> float:
        """What was asked of it before this time was slow because it was mute, and says nothing of its speed."""
        member = self._members.get(worker)
        return member.back if member else 0.0

    def mute(self, worker: str, now: float) -> None:
        """It owes a block and has said nothing for too long: ask it last until it does."""
        member = self._members[worker]
        if not member.mute:
            member.mute, member.probe_at = True, now
            self._routers = None

    def is_mute(self, worker: str) -> bool:
        """Whether it owes a block and says nothing."""
        return self._members[worker].mute

    def busy(self, worker: str, message: Busy, now: float) -> None:
        """It asks to be left alone for a while."""
        if member := self._members.get(worker):
            seconds = min(BUSY_MAX_SECONDS, max(BUSY_MIN_SECONDS, message.retry_seconds))
            member.busy_until, member.busy_reason = now + seconds, message.reason
            self._busy.add(worker)
            self._routers = None

    def to_probe(self, now: float) -> list[str]:
        """The mute workers that are to be spoken to again now."""
        due = [name for name, member in self._members.items() if member.mute and member.probe_at <= now]
        for member in map(self._members.__getitem__, due):
            member.probe_at = now + member.probe_seconds
            member.probe_seconds = min(PROBE_MAX_SECONDS, 2 * member.probe_seconds)
        return due

    def first(self, index: int, now: float, without: Collection[str] = (), *, last_resort: bool = True) -> str | None:
        """The worker to ask: the first in the block's order that is not in `without`.

        Args:
            last_resort: ask a mute worker if there is no other.
        """
        for router in self._orders(now)[: 2 if last_resort else 1]:
            if not without:
                found = router.first(index)
            else:
                found = next((worker for worker in router.order(index) if worker not in without), None)
            if found:
                return found
        return None

    def describe(self, worker: str) -> str:
        """How a worker that serves is, in words."""
        member = self._members[worker]
        if member.mute:
            return "connected, owes blocks and says nothing"
        return f"but busy: {member.busy_reason}" if worker in self._busy else "answers"

    def _orders(self, now: float) -> tuple[Router, Router]:
        """The orders of preference: of the workers in good health, and of those that are mute."""
        if self._busy:
            for name in [name for name in self._busy if (self._members[name].busy_until or 0.0) <= now]:
                self._busy.discard(name)
                self._routers = None
        if self._routers is None:
            free = {name: member for name, member in self._members.items() if name not in self._busy}
            healthy, mute = (
                Router(self._digest, {name: member.capacity for name, member in free.items() if member.mute is state})
                for state in (False, True)
            )
            self._routers = healthy, mute
        return self._routers
