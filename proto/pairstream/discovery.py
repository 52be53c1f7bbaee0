"""Which workers there are: a list, or a DNS name whose addresses are watched.

A discovery is asked a few times a second what it knows and never blocks; what follows from its answer is
`roster_changes`. A worker is added as soon as it is found. It is removed once it is not found any more *and* has no
connection: a worker that drains leaves the DNS first and says good-bye later. A look-up that fails, or finds
nothing, removes nobody.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Protocol

#: Seconds between two look-ups, while nothing was found yet and later; and after which one counts as failed.
EAGER_SECONDS, EVERY_SECONDS, LOOKUP_SECONDS = 1.0, 5.0, 10.0
#: Look-ups that may hang at the same time before no other is begun.
_MAX_HANGING = 4


class Discovery(Protocol):
    """Knows the names of the workers."""

    def find(self, now: float) -> frozenset[str]:
        """The workers known at this time, in seconds; never blocks."""

    def situation(self) -> str:
        """Why there may be fewer workers than expected; empty if there is nothing to say."""


@dataclass(frozen=True)
class Changes:
    """Workers to connect to, and connections to close."""

    add: frozenset[str]
    remove: frozenset[str]


def roster_changes(found: Collection[str], present: Collection[str], connected: Collection[str]) -> Changes:
    """From the workers that a client has, of which some are connected, to those that were found."""
    here, there = frozenset(present), frozenset(found)
    return Changes(add=there - here, remove=here - there - frozenset(connected) if there else frozenset())


class FixedWorkers:
    """A list that never changes."""

    def __init__(self, workers: Collection[str]) -> None:
        self._workers = frozenset(workers)

    def find(self, now: float) -> frozenset[str]:
        """All of them, always."""
        return self._workers

    def situation(self) -> str:
        """Nothing to say."""
        return ""


Resolve = Callable[[str], Sequence[str]]


def resolve(host: str) -> list[str]:
    """All addresses of a name, of one family so that no worker is found twice; IPv6 only if there are no others.

    Raises:
        OSError: the name is not known, or nobody answers.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    fours, sixes = (
        sorted({str(address[0]) for family, _, _, _, address in found if family is wanted})
        for wanted in (socket.AF_INET, socket.AF_INET6)
    )
    return fours or [f"[{address}]" for address in sixes]


class DnsWorkers:
    """A worker behind every address of a name, looked up again and again in a thread of its own.

    Args:
        scheme, host, port: of the workers, which are named SCHEME://ADDRESS:PORT.
        resolver: gives the addresses of a host.
    """

    def __init__(self, scheme: str, host: str, port: int, resolver: Resolve = resolve) -> None:
        self._scheme = scheme
        self._host = host
        self._port = port
        self._resolver = resolver
        self._answers: SimpleQueue[tuple[int, Sequence[str] | OSError | UnicodeError]] = SimpleQueue()
        self._workers: frozenset[str] = frozenset()
        self._trouble = "not looked up yet"
        self._next_at = float("-inf")
        self._began = 0.0
        self._lookups = self._hanging = 0
        self._looking = False

    def find(self, now: float) -> frozenset[str]:
        """What the last look-up that succeeded has found; begins another one if it is time."""
        while not self._answers.empty():
            self._hear(*self._answers.get(), now)
        if self._looking and now - self._began >= LOOKUP_SECONDS:
            self._looking = False
            self._trouble = f"no answer within {LOOKUP_SECONDS:.0f} s"
            self._next_at = now
        if not self._looking and now >= self._next_at and self._hanging < _MAX_HANGING:
            self._looking, self._began = True, now
            self._lookups += 1
            self._hanging += 1
            Thread(target=self._look_up, args=(self._lookups,), name="resolve", daemon=True).start()
        return self._workers

    def situation(self) -> str:
        """What the name's look-up says."""
        return f"{self._host} was looked up {self._lookups} times: {self._trouble or 'found'}"

    def _hear(self, lookup: int, answer: Sequence[str] | OSError | UnicodeError, now: float) -> None:
        self._hanging -= 1
        if lookup != self._lookups or not self._looking:
            return  # it had been given up
        self._looking = False
        if isinstance(answer, Exception) or not answer:
            self._trouble = str(answer) if answer else "it has no addresses"
        else:
            self._workers = frozenset(f"{self._scheme}://{address}:{self._port}" for address in answer)
            self._trouble = ""
        self._next_at = now + (EVERY_SECONDS if self._workers else EAGER_SECONDS)

    def _look_up(self, lookup: int) -> None:
        try:
            self._answers.put((lookup, self._resolver(self._host)))
        except (OSError, UnicodeError) as error:  # UnicodeError: a name that no DNS could have
            self._answers.put((lookup, error))
