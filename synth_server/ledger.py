"""What a worker remembers of what it did: counts per stream and per experiment, for `Status`.

The counts that Prometheus scrapes are in `metrics.py`; names of streams and experiments are unbounded and
would not do as labels there. Here the least recent leave once there are more than `CAPACITY`.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from dataclasses import dataclass
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
    spec_json: str
    fingerprint: str = ""
    blocks_rendered: int = 0
    blocks_served: int = 0


@dataclass
class ExperimentEntry:
    """One experiment on one stream."""

    name: str
    digest: str
    blocks_served: int = 0
    last_index: int = 0
    waiting: int = 0


class Ledger:
    """Written by the serving thread, read by any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._streams: OrderedDict[str, StreamEntry] = OrderedDict()
        self._lately: OrderedDict[str, deque[int]] = OrderedDict()
        self._experiments: OrderedDict[tuple[str, str], ExperimentEntry] = OrderedDict()

    def opened(self, spec: StreamSpec, fingerprint: str) -> None:
        """A stream was opened."""
        with self._lock:
            entry = StreamEntry(spec.digest, json.dumps(spec.as_dict(), sort_keys=True))
            _recent(self._streams, spec.digest, entry).fingerprint = fingerprint

    def rendered(self, digest: str) -> None:
        """A block of this stream was rendered."""
        with self._lock:
            _recent(self._streams, digest, StreamEntry(digest, "{}")).blocks_rendered += 1

    def served(self, experiment: str, digest: str, index: int) -> None:
        """A block was sent to a client of this experiment."""
        with self._lock:
            _recent(self._streams, digest, StreamEntry(digest, "{}")).blocks_served += 1
            entry = _recent(self._experiments, (experiment, digest), ExperimentEntry(experiment, digest))
            entry.blocks_served += 1
            entry.last_index = index
            if index < FIRST_HELD_OUT:
                _recent(self._lately, digest, deque(maxlen=LATELY)).append(index)

    def head(self, digest: str) -> int | None:
        """The highest index of this stream among those served lately, to whomever; None if there is none."""
        with self._lock:
            return max(self._lately.get(digest, ()), default=None)

    def streams(self) -> list[StreamEntry]:
        """A copy, the most recent last."""
        with self._lock:
            return [StreamEntry(**vars(entry)) for entry in self._streams.values()]

    def experiments(self) -> list[ExperimentEntry]:
        """A copy, the most recent last."""
        with self._lock:
            return [ExperimentEntry(**vars(entry)) for entry in self._experiments.values()]


_K = TypeVar("_K")
_V = TypeVar("_V")


def _recent(book: OrderedDict[_K, _V], key: _K, fresh: _V) -> _V:
    entry = book.setdefault(key, fresh)
    book.move_to_end(key)
    while len(book) > CAPACITY:
        book.popitem(last=False)
    return entry
