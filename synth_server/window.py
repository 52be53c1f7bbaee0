"""The blocks a worker still holds in memory, bounded in bytes; the least recently asked for leave first."""

from __future__ import annotations

from collections import OrderedDict

from pairstream.block import PairBlock

#: A block's name among all streams: (digest, index).
Key = tuple[str, int]


class Window:
    """A cache that never holds more than `limit_bytes`; a block larger than that is not kept at all.

    Args:
        limit_bytes: the bound, counting the arrays.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.bytes = 0
        self._blocks: OrderedDict[Key, PairBlock] = OrderedDict()

    def get(self, key: Key) -> PairBlock | None:
        """The block, if it is still here."""
        block = self._blocks.get(key)
        if block is not None:
            self._blocks.move_to_end(key)
        return block

    def put(self, key: Key, block: PairBlock) -> None:
        """Keep a block, and let go of as many old ones as that takes."""
        if key in self._blocks or block.nbytes > self.limit_bytes:
            return
        self._blocks[key] = block
        self.bytes += block.nbytes
        while self.bytes > self.limit_bytes:
            _, oldest = self._blocks.popitem(last=False)
            self.bytes -= oldest.nbytes
