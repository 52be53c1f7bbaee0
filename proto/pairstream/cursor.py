"""Where an experiment stands in its stream: what a checkpoint keeps. What it takes next is `batches.py`.

The cursor belongs to the experiment, not to a rank or a worker: it is the same for all ranks, so their number
may change from one run to the next.

    state_dict() == {"next": 4711}                                     an exact experiment, at the start of a block
                    {"next": 4711, "pair": 64}                         the same, in the middle of one
                    {"next": 4711, "gaps": [[0, 99], [140, 163]]}      one that came late and was left behind once

What was taken, all of it, is the blocks from where it began up to `next` that are in no gap. An experiment that jumps
for ever would have gaps without end, so the oldest are forgotten beyond `MAX_GAPS`; `known` is then the index from
which on the gaps are all there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pairstream.errors import CheckpointError, ConfigError

#: The most gaps that a cursor remembers: some 80 kB of a checkpoint, and months of being left behind.
MAX_GAPS = 4_096


@dataclass(frozen=True, kw_only=True)
class Share:
    """Rank `rank` of `world` processes that share one experiment.

    Raises:
        ConfigError: the rank is not one of 0 … world - 1.
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise ConfigError(f"rank={self.rank} of world={self.world}; use a rank from 0 to world - 1")


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The position of the experiment, all its ranks together: pair `pair` of block `next` comes next.

    Attributes:
        next: the first block that has not been taken whole.
        pair: how many of its pairs have been taken.
        gaps: runs of blocks below `next` that were skipped: (first, last), both included, in order.
        known: below this index some gaps are forgotten.
    """

    next: int = 0
    pair: int = 0
    gaps: tuple[tuple[int, int], ...] = ()
    known: int = 0

    def position(self, block_pairs: int) -> int:
        """Pairs of the stream before this position."""
        return self.next * block_pairs + self.pair

    def after(self, begin: int, pairs: int, block_pairs: int) -> Cursor:
        """The cursor once pairs [begin, begin + pairs) of the stream have been taken.

        What lies between this cursor and `begin` was skipped; what this cursor has from `begin` on is undone,
        for the consumer may be behind whoever reads ahead for it.
        """
        first, _ = divmod(begin, block_pairs)
        index, pair = divmod(begin + pairs, block_pairs)
        gaps = [gap for gap in self.gaps if gap[1] < first]
        here = self.next + (self.pair > 0)
        if here < first:
            gaps.append((here, first - 1))
        known = max([self.known, *(last + 1 for _, last in gaps[:-MAX_GAPS])])
        return replace(self, next=index, pair=pair, gaps=tuple(gaps[-MAX_GAPS:]), known=known)

    def taken(self, start: int = 0) -> Iterator[int]:
        """The blocks that were taken, in order, of an experiment that began at `start`: with these, it can be replayed.

        Raises:
            CheckpointError: the gaps from `start` on are not all known any more.
        """
        if start < self.known:
            raise CheckpointError(f"the gaps below index {self.known} are forgotten; replay from there on")
        for first, last in (*self.gaps, (self.next + (self.pair > 0), None)):
            yield from range(start, first)
            start = max(start, (last or 0) + 1)

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps: integers, and lists of them."""
        state: dict[str, Any] = {"next": self.next}
        if self.pair:
            state["pair"] = self.pair
        if self.gaps:
            state["gaps"] = [list(gap) for gap in self.gaps]
        if self.known:
            state["known"] = self.known
        return state

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> Cursor:
        """The inverse of `state_dict`.

        Raises:
            CheckpointError: this is not the state of a cursor.
        """
        gaps = state.get("gaps", [])
        numbers = [state.get("next"), state.get("pair", 0), state.get("known", 0)]
        if not isinstance(gaps, list) or not all(isinstance(gap, list) and len(gap) == 2 for gap in gaps):
            raise CheckpointError(f"the stream's gaps {gaps!r:.200} are not a list of [first, last]")
        ends = [end for gap in gaps for end in gap]
        for number in (*numbers, *ends):
            if isinstance(number, bool) or not isinstance(number, int) or number < 0:
                raise CheckpointError(
                    f"the stream's state {dict(state)!r:.200} has no index 'next', or {number!r} in it; "
                    "it is not a cursor's state"
                )
        if ends != sorted(ends):
            raise CheckpointError(f"the stream's gaps {gaps!r:.200} are not in order")
        return cls(next=state["next"], pair=numbers[1], gaps=tuple((a, b) for a, b in gaps), known=numbers[2])
