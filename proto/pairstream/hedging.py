"""Which blocks are late, and which of those are asked for a second time.

Pure, as `exchange.py` is, which sends what this file decides. Asking twice is called hedging (Dean & Barroso,
"The tail at scale", 2013): the first answer wins. It is bounded, so that it cannot amplify an overload: with
all workers slow, all blocks are late, and no more than a tenth of them is asked for twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pairstream.asks import Asks
from pairstream.health import Health
from pairstream.latency import Latencies

#: Second asks per first ask, in the long run.
HEDGE_SHARE = 0.1


class Allowance:
    """First asks earn second asks.

    Args:
        burst: second asks that may come at once: what one worker may owe when it stops.
    """

    def __init__(self, burst: int) -> None:
        self._burst = float(burst)
        self._left = float(burst)

    def earn(self, asks: int) -> None:
        """So many blocks were asked for, for the first time."""
        self._left = min(self._burst, self._left + HEDGE_SHARE * asks)

    def spend(self) -> bool:
        """Take one; False if none is left."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(frozen=True)
class Again:
    """Ask this worker for a block that another was asked for: beside it, or in its stead."""

    index: int
    worker: str
    instead: bool


class Hedging:
    """Watches a book of asks.

    Args:
        asks: the book; only read here.
        health: the workers that serve; a mute one is marked here.
        patience: seconds after which a block is asked for again in any case.
        burst: see `Allowance`.
    """

    def __init__(self, asks: Asks, health: Health, patience: float, burst: int) -> None:
        self.allowance = Allowance(burst)
        self.latencies = Latencies(patience)
        self._asks = asks
        self._health = health
        self._patience = patience

    def overdue(self, listened: float, now: float, failed: Mapping[int, Collection[str]]) -> Iterator[Again]:
        """What to ask again, and of whom.

        Args:
            listened: the time on the clock of the asks, which stands still while the consumer is busy.
            now: the time.
            failed: the workers that cannot give a block.
        """
        latest = list(self._asks.latest())
        limits = {worker: self.latencies.limit(worker) for worker in {worker for _, worker, _ in latest}}
        for _, worker, at in latest:
            if listened - self._health.silent_since(worker, at) > limits[worker]:
                self._health.mute(worker, now)
        for index, worker, at in latest:
            waited = listened - at
            others = {*self._asks.of(index), *failed.get(index, ())}
            if waited > self._patience:
                yield Again(index, self._health.first(index, now, others) or worker, instead=True)
            elif waited > limits[worker] or self._health.is_mute(worker):
                elsewhere = self._health.first(index, now, others, last_resort=False)
                if elsewhere and self.allowance.spend():
                    yield Again(index, elsewhere, instead=False)
