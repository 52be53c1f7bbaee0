"""What is remembered of those who misbehave: that they were complained of, and how often they spoke nonsense.

Bounded, however many clients come: of more than `REMEMBERED` the one that misbehaved first is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from synth_server.scheduler import ClientId

#: Clients that are remembered.
REMEMBERED: Final = 1_024
#: Messages that cannot be read of one client that are answered; what it sends beyond them is counted, no more.
ANSWERED: Final = 16


class Complaints:
    """Counts by peer: a client, a host, or a host and what it did."""

    def __init__(self) -> None:
        self._of: OrderedDict[bytes, list[int]] = OrderedDict()

    def first(self, peer: bytes) -> bool:
        """Whether this is the first complaint of it: the one that is worth a line."""
        known = peer in self._of
        self._remember(peer)
        return not known

    def answer(self, client: ClientId) -> bool:
        """It sent a message that cannot be read; whether to tell it so."""
        counts = self._remember(client)
        counts[0] += 1
        return counts[0] <= ANSWERED

    def forget(self, client: ClientId) -> None:
        """It is gone for good, and its name will not come again."""
        self._of.pop(client, None)

    def _remember(self, peer: bytes) -> list[int]:
        counts = self._of.setdefault(peer, [0])
        if len(self._of) > REMEMBERED:
            self._of.popitem(last=False)
        return counts
