"""What was asked of whom and has not come: the book that `exchange.py` keeps. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from types import MappingProxyType

_NOBODY: Mapping[str, float] = MappingProxyType({})


#: Asks that lost a race, remembered until the loser answers.
_RACES_KEPT = 256


class Asks:
    """For each block that is on its way, the workers that were asked and when, the latest last."""

    def __init__(self) -> None:
        self._of: dict[int, dict[str, float]] = {}
        self._races: OrderedDict[tuple[int, str], float] = OrderedDict()

    def __contains__(self, index: int) -> bool:
        return index in self._of

    def __len__(self) -> int:
        return len(self._of)

    def add(self, index: int, worker: str, at: float) -> None:
        """The worker was asked for the block at this time, in seconds."""
        asked = self._of.setdefault(index, {})
        asked.pop(worker, None)
        asked[worker] = at

    def of(self, index: int) -> Mapping[str, float]:
        """Who was asked for the block, and when."""
        return self._of.get(index, _NOBODY)

    def forget(self, index: int) -> None:
        """The block is not needed."""
        self._of.pop(index, None)

    def came(self, index: int, worker: str) -> float | None:
        """The worker has sent the block; when it was asked, if it was. Others that were asked have lost a race."""
        asked = dict(self._of.pop(index, _NOBODY))
        at = asked.pop(worker, None)
        if at is None:
            at = self._races.pop((index, worker), None)
        for loser, earlier in asked.items():
            self._races[index, loser] = earlier
        while len(self._races) > _RACES_KEPT:
            self._races.popitem(last=False)
        return at

    def void(self, index: int, worker: str) -> bool:
        """The worker will not send the block; True if nobody else was asked for it."""
        asked = self._of.get(index, {})
        asked.pop(worker, None)
        if asked or index not in self._of:
            return False
        del self._of[index]
        return True

    def void_all(self, worker: str) -> list[int]:
        """The worker will send nothing; the blocks that nobody else was asked for."""
        for race in [race for race in self._races if race[1] == worker]:
            del self._races[race]
        return [index for index in list(self._of) if worker in self._of[index] and self.void(index, worker)]

    def latest(self) -> Iterator[tuple[int, str, float]]:
        """Every block on its way with the worker that was asked last, and when."""
        for index, asked in self._of.items():
            worker = next(reversed(asked))
            yield index, worker, asked[worker]
