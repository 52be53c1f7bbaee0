"""Which pairs of the stream a rank takes: global batches of G pairs, a W-th of each to every rank.

    G = 256, blocks of 128        block     0        1        2        3     …
                                  batch  |- 0 ------------||- 1 ------------|
    W = 2                         rank   |- 0 ---||- 1 ---||- 0 ---||- 1 ---|
    W = 4                         rank   |0 ||1 ||2 ||3 ||0 ||1 ||2 ||3 |

Arithmetic only, no coordinator: batch b is the pairs [start + bG, start + (b+1)G) of the stream, and rank r
takes the r-th W-th of it. So batch b is the same set of pairs in the same order whatever W is, and W may
change at any checkpoint.

`exact` takes batch after batch. `live` keeps near the head: the highest index that any worker lately served
to anyone. Once that is more than `max_lag` blocks ahead, it jumps there, and the cursor records the gap.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from pairstream.block import PairBlock
from pairstream.cursor import Cursor, Share
from pairstream.errors import ConfigError
from pairstream.messages import MAX_INDEX

#: How an experiment follows its stream, and where it may start: the first block, the head, or an index.
Follow = Literal["exact", "live"]
Start = int | Literal["first", "head"]
#: The newest index that the workers know of, if any.
Head = Callable[[], int | None]

#: How many blocks a live experiment may fall behind the head: half of what a worker's window holds of
#: the default stream, so that what it asks for need not be rendered again.
MAX_LAG = 16


@dataclass(frozen=True)
class Slice:
    """Pairs [first, stop) of block `index`."""

    index: int
    first: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Batches:
    """How a stream is cut into batches, and each batch into the parts of the ranks.

    Args:
        block_pairs: pairs in a block.
        batch_pairs: G, pairs in a global batch: a whole number of blocks, or a divisor of one.
        share: which part of every batch is this process's.

    Raises:
        ConfigError: a batch that is neither, or that the ranks cannot share equally.
    """

    block_pairs: int
    batch_pairs: int
    share: Share

    def __post_init__(self) -> None:
        batch, block, world = self.batch_pairs, self.block_pairs, self.share.world
        if batch < 1 or (batch % block and block % batch):
            raise ConfigError(
                f"batch_pairs={batch} with blocks of {block} pairs; use a whole number of blocks, or a divisor of one"
            )
        if batch % world:
            raise ConfigError(f"batch_pairs={batch} for {world} ranks; use a multiple of {world}")

    @property
    def part_pairs(self) -> int:
        """Pairs of a rank's part of a batch, G / W."""
        return self.batch_pairs // self.share.world

    def part(self, begin: int) -> tuple[Slice, ...]:
        """This rank's part of the batch that begins at pair `begin` of the stream."""
        first = begin + self.share.rank * self.part_pairs
        stop, slices = first + self.part_pairs, []
        while first < stop:
            index, pair = divmod(first, self.block_pairs)
            until = min(self.block_pairs, pair + stop - first)
            slices.append(Slice(index, pair, until))
            first += until - pair
        return tuple(slices)

    def begin_of(self, index: int, pair: int) -> int:
        """Where the batch begins of which this rank's part begins at pair `pair` of block `index`."""
        return index * self.block_pairs + pair - self.share.rank * self.part_pairs

    def after(self, cursor: Cursor, index: int, pair: int, *, skips: bool = True) -> Cursor:
        """The cursor once all ranks have taken the batch of that part; `skips` if what lies before is a gap."""
        begin = self.begin_of(index, pair)
        if not skips:
            here, rest = divmod(begin, self.block_pairs)
            cursor = replace(cursor, next=here, pair=rest)
        return cursor.after(begin, self.batch_pairs, self.block_pairs)

    def exact(self, begin: int) -> Iterator[tuple[Slice, ...]]:
        """This rank's part of every batch from `begin` on, without end."""
        while True:
            yield self.part(begin)
            begin += self.batch_pairs

    def live(self, begin: int, head: Head, max_lag: int) -> Iterator[tuple[Slice, ...]]:
        """The same, with jumps to the head from the ends of blocks; from anywhere, if batches meet none of these."""
        anywhere = begin % math.gcd(self.batch_pairs, self.block_pairs) > 0
        while True:
            index, pair = divmod(begin, self.block_pairs)
            newest = head()
            if (pair == 0 or anywhere) and newest is not None and newest - index > max_lag:
                begin, anywhere = newest * self.block_pairs, False
            yield self.part(begin)
            begin += self.batch_pairs


def assemble(
    fetch: Callable[[Iterator[int]], Iterator[PairBlock]], parts: Iterator[tuple[Slice, ...]]
) -> Iterator[tuple[Slice, list[tuple[Slice, PairBlock]]]]:
    """Every part with the blocks it is cut from, and its first slice.

    Args:
        fetch: gives the blocks of indices, and reads ahead in them (`Client.follow`).
        parts: each block's slices one after the other, so that it is fetched once.
    """
    planned: deque[tuple[Slice, ...]] = deque()

    def indices() -> Iterator[int]:
        last = None
        for part in parts:
            planned.append(part)
            for piece in part:
                if piece.index != last:
                    last = piece.index
                    yield last

    blocks = fetch(indices())
    block: PairBlock | None = None
    while True:
        block = block or next(blocks)  # what is fetched is planned before
        part, pieces = planned.popleft(), []
        for piece in part:
            if piece.index != block.index:
                block = next(blocks)
            pieces.append((piece, block))
        yield part[0], pieces


def check_following(follow: Follow, start: Start, max_lag: int = MAX_LAG, share: Share | None = None) -> None:
    """Refuse a way to follow that cannot be meant.

    Raises:
        ConfigError: with the value and the remedy.
    """
    if follow not in ("exact", "live"):
        raise ConfigError(f"follow={follow!r} is unknown; use exact or live")
    number = isinstance(start, int) and not isinstance(start, bool)
    if start not in ("first", "head") and not (number and 0 <= int(start) < MAX_INDEX):
        raise ConfigError(f"start={start!r} is no block of the stream; use first, head, or an index below 2**63")
    if max_lag < 0:
        raise ConfigError(f"max_lag={max_lag} blocks is negative; use 0 or more")
    if share and share.world > 1 and (follow == "live" or start == "head"):
        raise ConfigError(
            f"follow={follow} from start={start} with {share.world} ranks: each would see another head, and nobody "
            "coordinates them; follow exactly, from an index"
        )
