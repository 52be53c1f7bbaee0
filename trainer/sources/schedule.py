"""A stream whose delta changes at set steps: one stream after the other, each from where the one before it ended.

The base sounds are the same under every delta, so only how far the views lie apart changes. The position goes on
through all of them, and one client is open at a time.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, cast

from torch.utils.data import IterableDataset

from pairstream.batches import Batches
from pairstream.cursor import Cursor
from pairstream.stats import ClientStats
from pairstream.torch import PairBatch, PairStream


class Schedule(IterableDataset[PairBatch]):
    """See `Source`.

    Args:
        streams: the pair at which each begins, and the stream; in order, and alike but for delta.
        batches: how all of them are cut, and this rank's share.
    """

    def __init__(self, streams: Sequence[tuple[int, PairStream]], batches: Batches) -> None:
        self._begins = [begin for begin, _ in streams]
        self._streams = [stream for _, stream in streams]
        self._batches = batches
        self._at = self._streams[0]
        self._state: dict[str, Any] = Cursor(next=self._begins[0] // batches.block_pairs).state_dict()

    def __iter__(self) -> Iterator[PairBatch]:
        while True:
            place = Cursor.from_state_dict(self._state).position(self._batches.block_pairs)
            number = max(number for number, begin in enumerate(self._begins) if begin <= place)
            self._at = self._streams[number]
            self._at.load_state_dict(self._state)
            later = self._begins[number + 1 :]
            count = -(-(later[0] - place) // self._batches.batch_pairs) if later else None
            with closing(cast("Generator[PairBatch]", iter(self._at))) as batches:
                for batch in islice(batches, count):
                    self._state = self._at.state_after(batch)
                    yield batch

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Source.load_state_dict`."""
        self._state = dict(state)

    def state_after(self, batch: PairBatch) -> dict[str, Any]:
        """See `Source.state_after`."""
        return self._at.state_after(batch)

    def stats(self) -> ClientStats | None:
        """What the client of the latest stream has measured."""
        return next((stats for stream in reversed(self._streams) if (stats := stream.stats())), None)
