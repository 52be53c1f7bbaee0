"""What a worker remembers of what it did: counts per stream and per experiment, for `Status`.

The counts that Prometheus scrapes are in `metrics.py`; names of streams and experiments are unbounded and
would not do as labels there. Here the least recent leave once there are more than `CAPACITY`.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace
from threading import Lock
from typing import Generic, Protocol, TypeVar

from pairstream.messages import FIRST_HELD_OUT
from pairstream.spec import StreamSpec

CAPACITY = 256
#: Of the blocks served of a stream, so many of the latest count for its head.
LATELY = 256


@dataclass(slots=True)
class StreamEntry:
    """One stream: what was asked for and how often it was rendered and served."""

    digest: str
    spec_json: str = "{}"
    fingerprint: str = ""
    blocks_rendered: int = 0
    blocks_served: int = 0
    head: int | None = None
    """The highest index served lately; filled in for those who ask."""
    used: int = 0
    """When it was last written to, in blocks rendered and served."""


@dataclass(slots=True)
class ExperimentEntry:
    """One experiment on one stream."""

    name: str
    digest: str
    blocks_served: int = 0
    last_index: int = 0
    cursor: int | None = None
    """The highest index served; None if only held out ones were."""
    waiting: int = 0
    used: int = 0
    """When it was last written to, in blocks rendered and served."""


@dataclass(frozen=True)
class Totals:
    """Blocks since the start, of all streams, those that were forgotten since included."""

    blocks_rendered: int
    blocks_served: int


class Ledger:
    """Written by the serving thread, read by any. What is written for every block is kept small."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: _Book[str, StreamEntry] = _Book(StreamEntry)
        self._experiments: _Book[tuple[str, str], ExperimentEntry] = _Book(lambda key: ExperimentEntry(*key))
        self._lately: dict[str, deque[int]] = {}
        self._rendered = self._served = 0

    def opened(self, spec: StreamSpec, fingerprint: str) -> None:
        """A stream was opened."""
        with self._lock:
            entry = self._streams.written(spec.digest, self._now)
            if not entry.fingerprint:
                entry.spec_json = json.dumps(spec.as_dict(), sort_keys=True)
            entry.fingerprint = fingerprint

    def rendered(self, digest: str) -> None:
        """A block of this stream was rendered."""
        with self._lock:
            self._rendered += 1
            self._streams.written(digest, self._now).blocks_rendered += 1

    def served(self, experiments: Collection[str], digest: str, index: int) -> None:
        """A block was sent to a client of each of these experiments."""
        with self._lock:
            count, counts = len(experiments), index < FIRST_HELD_OUT
            self._served += count
            now = self._now
            self._streams.written(digest, now).blocks_served += count
            for experiment in experiments:
                entry = self._experiments.written((experiment, digest), now)
                entry.blocks_served += 1
                entry.last_index = index
                if counts and (entry.cursor is None or index > entry.cursor):
                    entry.cursor = index
            if counts:
                self._late(digest).extend([index] * count)

    def head(self, digest: str) -> int | None:
        """The highest index of this stream among those served lately, to whomever; None if there is none."""
        with self._lock:
            return self._head(digest)

    def totals(self) -> Totals:
        """All that was done."""
        with self._lock:
            return Totals(self._rendered, self._served)

    def streams(self) -> list[StreamEntry]:
        """A copy, the most recent last."""
        with self._lock:
            return [replace(entry, head=self._head(entry.digest)) for entry in self._streams.by_use()]

    def experiments(self) -> list[ExperimentEntry]:
        """A copy, the most recent last."""
        with self._lock:
            return [replace(entry) for entry in self._experiments.by_use()]

    @property
    def _now(self) -> int:
        return self._rendered + self._served

    def _head(self, digest: str) -> int | None:
        return max(self._lately.get(digest, ()), default=None)

    def _late(self, digest: str) -> deque[int]:
        """The indices served lately; kept as long as the stream's entry."""
        lately = self._lately.get(digest)
        if lately is None:
            for forgotten in self._lately.keys() - self._streams.keys():
                del self._lately[forgotten]
            lately = self._lately[digest] = deque(maxlen=LATELY)
        return lately


class _Entry(Protocol):
    used: int


_K = TypeVar("_K", bound=Hashable)
_E = TypeVar("_E", bound=_Entry)


class _Book(dict[_K, _E], Generic[_K, _E]):
    """The most recent `CAPACITY` entries. Order is made when somebody asks: to write costs no more than to find."""

    def __init__(self, make: Callable[[_K], _E]) -> None:
        super().__init__()
        self._make = make

    def written(self, key: _K, now: int) -> _E:
        """The entry, to write to. If it is a new one too many, the least recent leaves."""
        entry = self.get(key)
        if entry is None:
            if len(self) >= CAPACITY:
                del self[min(self, key=lambda key: self[key].used)]
            entry = self[key] = self._make(key)
        entry.used = now
        return entry

    def by_use(self) -> list[_E]:
        """The entries, the most recent last."""
        return sorted(self.values(), key=lambda entry: entry.used)
