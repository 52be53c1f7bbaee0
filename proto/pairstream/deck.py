"""Deck: the numbers 0 … N - 1 over and over, shuffled anew for every pass. An order of indices, without any state.

    Deck(size=4, seed=0)    place  0 1 2 3 | 4 5 6 7 | 8 …
                            index  0 2 1 3 | 3 2 1 0 | 2 …

Which number stands at which place is a pure function of (size, seed, place), the same on every machine: in each pass
the numbers are in the order of words of NumPy's Philox, whose bits are fixed; how NumPy itself shuffles is not.
A fixed pool of blocks is read in such an order, and so is a folder of recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Deck:
    """N cards, dealt pass after pass.

    Raises:
        ConfigError: there is no card, or the seed is out of range.
    """

    size: int
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.size, bool) or not isinstance(self.size, int) or self.size < 1:
            raise ConfigError(f"a pool of {self.size!r} has nothing to learn from; use at least 1")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 1 << 64:
            raise ConfigError(f"seed={self.seed!r} of a pool is out of range; use 0 to 2**64 - 1")

    def index(self, place: int) -> int:
        """The number at this place."""
        turn, card = divmod(place, self.size)
        return int(_shuffled(self.size, self.seed, turn)[card])

    def indices(self, first: int, count: int) -> NDArray[np.int64]:
        """The numbers at places first … first + count - 1."""
        if not count:
            return np.empty(0, np.int64)
        turns = range(first // self.size, (first + count - 1) // self.size + 1)
        dealt = np.concatenate([_shuffled(self.size, self.seed, turn) for turn in turns])
        return dealt[first - turns[0] * self.size :][:count]


@lru_cache(maxsize=4)
def _shuffled(size: int, seed: int, turn: int) -> NDArray[np.int64]:
    words = np.random.Philox(key=np.array([seed, turn], np.uint64)).random_raw(size)
    return np.argsort(words, kind="stable").astype(np.int64)
