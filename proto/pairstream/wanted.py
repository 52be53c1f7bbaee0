"""What the consumer wants: which blocks, in which order, what of it has come, and what nobody was asked for yet.

Pure bookkeeping; whom to ask is `exchange.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pairstream.block import PairBlock


class Wanted:
    """The blocks of one client that are wanted now."""

    def __init__(self) -> None:
        self._wanted: tuple[int, ...] = ()
        self._unasked: set[int] = set()
        self._arrived: dict[int, PairBlock] = {}
        self._failures: dict[int, dict[str, str]] = {}

    def replace(self, indices: tuple[int, ...]) -> tuple[int, set[int]]:
        """These are wanted now, most urgent first: how many of them are new, and which are not wanted any more."""
        if indices == self._wanted:
            return 0, set()
        before, needed = set(self._wanted), set(indices)
        fresh, dropped = needed - before, before - needed
        for index in dropped:
            self._unasked.discard(index)
            self._arrived.pop(index, None)
            self._failures.pop(index, None)
        self._unasked |= fresh
        self._wanted = indices
        return len(fresh), dropped

    def came(self, block: PairBlock) -> bool:
        """A block has come; whether it is wanted, and the first of its index."""
        self._unasked.discard(block.index)
        if block.index not in self._wanted or block.index in self._arrived:
            return False
        self._arrived[block.index] = block
        return True

    def has(self, index: int) -> bool:
        """Whether the block has come."""
        return index in self._arrived

    def take(self, index: int) -> PairBlock:
        """The block that has come; it is handed out once, and not wanted any more."""
        self._wanted = tuple(wanted for wanted in self._wanted if wanted != index)
        self._failures.pop(index, None)
        return self._arrived.pop(index)

    def failed(self, index: int, worker: str, reason: str) -> None:
        """A worker cannot give this block, which is wanted."""
        self._failures.setdefault(index, {})[worker] = reason

    def forgive(self, index: int) -> None:
        """What workers could not give they may be able to give now."""
        if self._failures.pop(index, None):
            self._unasked.add(index)

    @property
    def failures(self) -> Mapping[int, Mapping[str, str]]:
        """Of the blocks that workers could not give, which workers, and why."""
        return self._failures

    def to_ask(self) -> list[int]:
        """The blocks that nobody was asked for, most urgent first."""
        return [index for index in self._wanted if index in self._unasked] if self._unasked else []

    def asked(self, index: int) -> None:
        """Somebody was asked for it."""
        self._unasked.discard(index)

    def ask_again(self, indices: Iterable[int]) -> None:
        """Whoever was asked for these will not give them."""
        self._unasked.update(indices)

    def __contains__(self, index: object) -> bool:
        return index in self._wanted
