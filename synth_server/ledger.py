"""What a worker remembers of what it did: counts per stream and per experiment, for `Status`.

The counts that Prometheus scrapes are in `metrics.py`; names of streams and experiments are unbounded and
would not do as labels there. Here the least recent leave once there are more than `CAPACITY`.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Collection
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeVar

from pairstream.messages import FIRST_HELD_OUT
from pairstream.spec import StreamSpec

CAPACITY = 256
#: Of the blocks served of a stream, so many of the latest count for its head.
LATELY = 256


@dataclass
class StreamEntry:
    """One stream: what was asked for and how often it was rendered and served."""

    digest: str
    spec_json: str = "{}"
    fingerprint: str = ""
    blocks_rendered: int = 0
    blocks_served: int = 0
    head: int | None = None
    """The highest index served lately; filled in for those who ask."""


@dataclass
class ExperimentEntry:
    """One experiment on one stream."""

    name: str
    digest: str
    blocks_served: int = 0
    last_index: int = 0
    cursor: int | None = None
    """The highest index served; None if only held out ones were."""
    waiting: int = 0


@dataclass(frozen=True)
class Totals:
    """Blocks since the start, of all streams, those that were forgotten since included."""

    blocks_rendered: int
    blocks_served: int


class Ledger:
    """Written by the serving thread, read by any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: _Book[str, StreamEntry] = _Book()
        self._lately: _Book[str, deque[int]] = _Book()
        self._experiments: _Book[tuple[str, str], ExperimentEntry] = _Book()
        self._rendered = self._served = 0

    def opened(self, spec: StreamSpec, fingerprint: str) -> None:
        """A stream was opened."""
        with self._lock:
            entry = self._stream(spec.digest)
            if not entry.fingerprint:
                entry.spec_json = json.dumps(spec.as_dict(), sort_keys=True)
            entry.fingerprint = fingerprint

    def rendered(self, digest: str) -> None:
        """A block of this stream was rendered."""
        with self._lock:
            self._rendered += 1
            self._stream(digest).blocks_rendered += 1

    def served(self, experiments: Collection[str], digest: str, index: int) -> None:
        """A block was sent to a client of each of these experiments."""
        with self._lock:
            self._served += len(experiments)
            self._stream(digest).blocks_served += len(experiments)
            counts = index < FIRST_HELD_OUT
            for experiment in experiments:
                entry = self._experiment(experiment, digest)
                entry.blocks_served += 1
                entry.last_index = index
                if counts and (entry.cursor is None or index > entry.cursor):
                    entry.cursor = index
            if counts:
                lately = self._lately.recent(digest)
                if lately is None:
                    lately = self._lately.add(digest, deque(maxlen=LATELY))
                lately.extend([index] * len(experiments))

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
            return [replace(entry, head=self._head(entry.digest)) for entry in self._streams.values()]

    def experiments(self) -> list[ExperimentEntry]:
        """A copy, the most recent last."""
        with self._lock:
            return [replace(entry) for entry in self._experiments.values()]

    def _head(self, digest: str) -> int | None:
        return max(self._lately.get(digest, ()), default=None)

    def _stream(self, digest: str) -> StreamEntry:
        entry = self._streams.recent(digest)
        return self._streams.add(digest, StreamEntry(digest)) if entry is None else entry

    def _experiment(self, name: str, digest: str) -> ExperimentEntry:
        entry = self._experiments.recent((name, digest))
        return self._experiments.add((name, digest), ExperimentEntry(name, digest)) if entry is None else entry


_K = TypeVar("_K")
_V = TypeVar("_V")


class _Book(OrderedDict[_K, _V]):
    """The most recent `CAPACITY` entries."""

    def recent(self, key: _K) -> _V | None:
        """The entry, if there is one; it is the most recent now."""
        entry = self.get(key)
        if entry is not None:
            self.move_to_end(key)
        return entry

    def add(self, key: _K, entry: _V) -> _V:
        """A new entry, for which the least recent leaves if there are too many."""
        self[key] = entry
        if len(self) > CAPACITY:
            self.popitem(last=False)
        return entry
