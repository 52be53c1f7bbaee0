"""Random numbers that are a function of (seed, purpose, pair): the only source of chance in a block.

NumPy's Philox is a counter cipher: the seed and the purpose are its key, the place in the stream its counter.
Nothing is drawn in sequence, so any pair of any block can be had without those before it. Pairs are numbered
through the whole stream, so the size of the blocks does not change what pair 4711 is.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import StreamSpec

#: Words of 64 bits that Philox gives per step of its counter.
_STEP = 4


#: In the key's second word the purpose stands in so many bits, and the layer above them.
_PURPOSE_BITS = 8


class Purpose(IntEnum):
    """What the numbers are for; each has a stream of its own, unrelated to the others."""

    THETA = 1
    PERTURBATION = 2
    NOISE = 3


def words(
    spec: StreamSpec, index: int, purpose: Purpose, per_pair: int, layer: int = 0, *, rows: range | None = None
) -> NDArray[np.uint64]:
    """(N, per_pair) random words for the N pairs of block `index`; each layer of the sounds has words of its own.

    Of some `rows` of the block, its pairs from one to another, they are the same as among all.

    Raises:
        ConfigError: `index` is not a whole number of at least 0.
    """
    if isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise ConfigError(f"index={index!r} is not the number of a block; use 0, 1, 2, …")
    steps = -(-per_pair // _STEP)
    pairs = range(spec.block_pairs) if rows is None else rows
    counter = (index * spec.block_pairs + pairs.start) * steps
    key = np.array([spec.seed, purpose + (layer << _PURPOSE_BITS)], np.uint64)
    raw = np.random.Philox(key=key, counter=counter).random_raw(len(pairs) * steps * _STEP)
    return np.asarray(raw, np.uint64).reshape(len(pairs), -1)[:, :per_pair]


def uniform(raw: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Words to the middles of 2**52 equal parts of [0, 1]: exact, never 0 or 1, symmetric about 1/2."""
    return ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
