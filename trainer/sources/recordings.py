"""Recordings as a source of pairs: two crops of one clip. The paper's baseline, with real sounds.

Clips are taken in shuffled passes, so each is seen equally often. Clip and crops of pair p are a pure function of
(clips, seed, p). Theta is empty: nobody knows the parameters of a recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from pairstream.batches import Batches
from pairstream.cursor import Cursor
from pairstream.deck import Deck
from pairstream.errors import DataError
from pairstream.stats import ClientStats
from pairstream.torch import PairBatch
from trainer.draws import Purpose, uniform
from trainer.sources.clips_in_memory import ClipsInMemory
from trainer.sources.source import RECORDINGS

#: Changes the sounds (N, 2, T) of the pairs from a number on, on a CPU.
Transform = Callable[[NDArray[Any], int], NDArray[Any]]


def unchanged(audio: NDArray[Any], first: int) -> NDArray[Any]:
    """The transform that does nothing."""
    return audio


class RecordedPairs:
    """Pair p of the recordings, for any p.

    Args:
        clips: what is cropped.
        seed: which pairs of all that the clips allow.
        jitter: two crops of one clip, or twice the same.
    """

    def __init__(self, clips: ClipsInMemory, *, seed: int, jitter: bool = True) -> None:
        self.clips = clips
        self._deck = Deck(size=len(clips), seed=seed)
        self._seed = seed
        self._jitter = jitter

    def audio(self, first: int, count: int) -> NDArray[Any]:
        """Sounds (count, 2, T) of pairs first, first + 1, …"""
        return self.chosen(first, np.arange(count))

    def chosen(self, first: int, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Sounds (B, 2, T) of pairs first + rows, for rows (B,) in order."""
        count = int(rows[-1]) + 1 if len(rows) else 0
        if not count:
            return np.empty((0, 2, self.clips.crop), self.clips.samples.dtype)
        clips = self._deck.indices(first, count)[rows]
        places = uniform(self._seed, Purpose.CROPS, first, count, 2)[rows]
        return self.clips.crops(clips, places if self._jitter else places[:, [0, 0]])


class RecordingsSource(IterableDataset[PairBatch]):
    """See `Source`. With several loader processes each makes every so manieth batch, and they come in order.

    Args:
        pairs: which pairs.
        batches: how they are cut, and this rank's share.
        start: the block to begin with.
        transform: what is done to the sounds here, in the loader.
    """

    def __init__(
        self, pairs: RecordedPairs, batches: Batches, *, start: int = 0, transform: Transform = unchanged
    ) -> None:
        self._pairs = pairs
        self._batches = batches
        self._transform = transform
        self._cursor = Cursor(next=start)

    def __iter__(self) -> Iterator[PairBatch]:
        worker = get_worker_info()
        first, every = (worker.id, worker.num_workers) if worker else (0, 1)
        size = self._batches.block_pairs
        begin = self._cursor.position(size)
        for part in islice(self._batches.exact(begin), first, None, every):
            index, pair = part[0].index, part[0].first
            place = index * size + pair
            audio = self._transform(self._pairs.audio(place, self._batches.part_pairs), place)
            theta = torch.empty((len(audio), 2, 0))
            yield PairBatch(index=index, theta=theta, audio=torch.from_numpy(audio), pair=pair)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Source.load_state_dict`. Raises DataError: the recordings are others than before."""
        check_recordings(state, self._pairs.clips)
        self._cursor = Cursor.from_state_dict(state)

    def state_after(self, batch: PairBatch) -> dict[str, Any]:
        """See `Source.state_after`."""
        after = self._batches.after(self._cursor, batch.index, batch.pair, skips=False)
        return after.state_dict() | {RECORDINGS: self._pairs.clips.digest}

    def stats(self) -> ClientStats | None:
        """There is no client."""
        return None


def check_recordings(state: Mapping[str, Any], clips: ClipsInMemory) -> None:
    """Raises DataError: the state is of a training on other recordings."""
    before = str(state.get(RECORDINGS, clips.digest))
    if before != clips.digest:
        raise DataError(
            f"the recordings are not those that this run began with: {len(clips)} clips of digest {clips.digest[:12]}, "
            f"before it was {before[:12]}; give it the same, or --any_arithmetic to go on with others"
        )
