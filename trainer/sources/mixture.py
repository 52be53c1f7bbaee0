"""A mixture: batches of the stream in which some rows are of recordings instead, a set share of them.

Pair p is the stream's pair p or the recordings' pair p; which, is a pure function of (seed, batch). So mixtures of all
shares follow one stream and share its blocks, and differ from it in nothing but the rows replaced. What is replaced
was rendered for nothing, unless another experiment wants it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from pairstream.batches import Batches
from pairstream.stats import ClientStats
from pairstream.torch import PairBatch
from trainer.draws import Purpose, uniform
from trainer.sources.recordings import RecordedPairs, check_recordings
from trainer.sources.source import RECORDINGS, Source


def real_rows(seed: int, begin: int, pairs: int, share: float) -> NDArray[np.int64]:
    """Which rows of the global batch of pairs begin … begin + pairs - 1 are of recordings, in order.

    Up to every batch, as near to the share as whole numbers can be: at 0.25 every fourth batch of 6 pairs has one
    more. In a batch each row is as likely.
    """
    count = round(share * (begin + pairs)) - round(share * begin)
    order = uniform(seed, Purpose.MIXTURE, begin, pairs, 1)[:, 0].argsort(kind="stable")
    return np.sort(order[:count]).astype(np.int64)


class Mixture(IterableDataset[PairBatch]):
    """See `Source`.

    Args:
        stream: gives the batches.
        pairs: gives the rows that are replaced.
        batches: how the stream is cut, and this rank's share.
        share: of the pairs that are of recordings.
        seed: which rows those are.
    """

    def __init__(self, stream: Source, pairs: RecordedPairs, batches: Batches, *, share: float, seed: int) -> None:
        self._stream = stream
        self._pairs = pairs
        self._batches = batches
        self._share = share
        self._seed = seed

    def __iter__(self) -> Iterator[PairBatch]:
        for batch in self._stream:
            yield self._mixed(batch)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Source.load_state_dict`. Raises DataError: the recordings are others than before."""
        check_recordings(state, self._pairs.clips)
        self._stream.load_state_dict({name: state[name] for name in state.keys() - {RECORDINGS}})

    def state_after(self, batch: PairBatch) -> dict[str, Any]:
        """See `Source.state_after`."""
        return self._stream.state_after(batch) | {RECORDINGS: self._pairs.clips.digest}

    def stats(self) -> ClientStats | None:
        """What the stream's client has measured."""
        return self._stream.stats()

    def _mixed(self, batch: PairBatch) -> PairBatch:
        """The batch with its real rows in place; without theta, as those have none."""
        begin = self._batches.begin_of(batch.index, batch.pair)
        rows = real_rows(self._seed, begin, self._batches.batch_pairs, self._share)
        first = self._batches.share.rank * self._batches.part_pairs
        mine = rows[(first <= rows) & (rows < first + self._batches.part_pairs)] - first
        audio = batch.audio.clone()
        audio[torch.from_numpy(mine)] = torch.from_numpy(self._pairs.chosen(begin + first, mine)).to(audio.dtype)
        return replace(batch, audio=audio, theta=batch.theta[..., :0])
