"""Which worker is asked first for a block: weighted rendezvous hashing of (digest, index).

Every client computes the same order from the same names and capacities, so experiments at the same place
ask the same worker. Of all blocks a worker gets its share of the whole capacity; when a worker joins,
leaves or changes its capacity, only blocks that come to it or go from it move.

A worker's score for a block is u^(1 / weight): u in (0, 1) from a hash, and its weight the capacity rounded
down to one of four steps in an octave, so that noise in measuring it matters little. The largest score wins,
then the larger u, then the smaller name. The hash is made of unsigned 64-bit steps and the root of square roots
and products, which IEEE 754 rounds exactly: the order is the same in every language, to the last bit.
docs/protocol.md says it in words, with golden values.

Sources: Thaler & Ravishankar, "Using name-based mappings to increase hit rates", 1998; the scores are those
of Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006; the mixer is SplitMix64's.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import cast

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]

#: Indices whose first workers are computed at once, and how many such runs are kept.
_RUN, _RUNS_KEPT = 64, 8
_ODD = np.uint64(0x9E3779B97F4A7C15)


class Router:
    """The order of preference of one stream's blocks among workers that do not change.

    Args:
        digest: the stream's name.
        capacities: for each worker's name the pairs per second that it reports, 1 or more.
    """

    def __init__(self, digest: str, capacities: Mapping[str, int]) -> None:
        self._stream = np.uint64(int(digest[:16], 16))
        self._names = sorted(capacities)
        keys = [int.from_bytes(sha256(name.encode()).digest()[:8], "big") for name in self._names]
        self._keys = np.array(keys, np.uint64)
        self._exponents = [exponent(capacities[name]) for name in self._names]
        self._columns = {
            one: np.array([column for column, other in enumerate(self._exponents) if other == one])
            for one in sorted(set(self._exponents))
        }
        self._firsts: OrderedDict[int, list[int]] = OrderedDict()

    def first(self, index: int) -> str | None:
        """The worker to ask first; None if there is none."""
        if len(self._names) < 2:
            return self._names[0] if self._names else None
        run = index // _RUN
        firsts = self._firsts.get(run)
        if firsts is None:
            indices = np.arange(_RUN, dtype=np.uint64) + np.uint64(run * _RUN)
            firsts = self._firsts[run] = self._best(indices).tolist()
            while len(self._firsts) > _RUNS_KEPT:
                self._firsts.popitem(last=False)
        return self._names[firsts[index % _RUN]]

    def order(self, index: int) -> list[str]:
        """All workers, the one to ask first in front."""
        words = self._words(np.array([index], np.uint64))[0]
        scores = [float(_score(words[[column]], *one)[0]) for column, one in enumerate(self._exponents)]
        ranked = sorted(range(len(scores)), key=lambda column: (-scores[column], -int(words[column]), column))
        return [self._names[column] for column in ranked]

    def _best(self, indices: Words) -> NDArray[np.intp]:
        """(I,) the column of the first worker. Of equal weights the largest word wins, so few roots are taken."""
        words = self._words(indices)
        rows = np.arange(len(indices))
        best: list[NDArray[np.intp]] = [columns[words[:, columns].argmax(axis=1)] for columns in self._columns.values()]
        if len(best) == 1:
            return best[0]
        scores = np.stack([_score(words[rows, of], *one) for of, one in zip(best, self._columns, strict=True)])
        first: NDArray[np.intp] = np.stack(best)[scores.argmax(axis=0), rows]
        for row in np.flatnonzero((scores == scores.max(axis=0)).sum(axis=0) > 1):
            first[row] = self._names.index(self.order(int(indices[row]))[0])
        return first

    def _words(self, indices: Words) -> Words:
        """(I, W) whole numbers below 2^52, even in their distribution, of W workers for I indices."""
        with np.errstate(over="ignore"):
            hashes = _mix(_mix(self._stream + indices * _ODD)[:, None] ^ self._keys)
        return cast(Words, hashes >> np.uint64(12))


def preference(digest: str, index: int, capacities: Mapping[str, int]) -> list[str]:
    """The workers, the one to ask first in front; the same for every client."""
    return Router(digest, capacities).order(index)


def exponent(capacity: int) -> tuple[int, int]:
    """(eighths, roots): 1 / weight is eighths / 8 / 2^roots, of the largest weight that is within the capacity."""
    capacity = max(1, capacity)
    roots = capacity.bit_length() - 1
    return -(-(8 << roots) // capacity), roots


def _score(words: Words, eighths: int, roots: int) -> NDArray[np.float64]:
    """Scores in (0, 1) of the words of workers with this exponent."""
    part: NDArray[np.float64] = (words.astype(np.float64) + 0.5) * 2.0**-52
    scores = np.ones_like(part)
    for bit in (8, 4, 2, 1):  # part is u^(bit / 8)
        if eighths & bit:
            scores *= part
        part = np.sqrt(part)
    for _ in range(roots):
        np.sqrt(scores, out=scores)
    return scores


def _mix(words: Words) -> Words:
    """SplitMix64's finaliser: every bit of a word decides half of all bits."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return cast(Words, words ^ (words >> np.uint64(31)))
