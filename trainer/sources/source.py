"""Source: batches of pairs without end, as the rest of the trainer sees them. A protocol.

Whatever a source is made of, it numbers its pairs 0, 1, 2, … and cuts them into global batches as a stream is cut
(`pairstream/batches.py`): rank r of W yields the r-th W-th of each. What pair p is, is a pure function of the plan
and p. So one cursor says where any of them stands, its state after a batch is a few integers, and killed and resumed
equals uninterrupted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from pairstream.stats import ClientStats
from pairstream.torch import PairBatch

#: The key of a state under which the digest of the recordings stands, as `fingerprint` names the stream's arithmetic.
RECORDINGS = "recordings"


class Source(Protocol):
    """A torch dataset for `DataLoader(batch_size=None)`."""

    def __iter__(self) -> Iterator[PairBatch]:
        """This rank's part of every batch, from where the state stands."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state` at the next `iter`. Without a fingerprint in it, any arithmetic and any clips will do."""
        ...

    def state_after(self, batch: PairBatch) -> dict[str, Any]:
        """The state from which to go on once `batch` has been used."""
        ...

    def stats(self) -> ClientStats | None:
        """What the stream's client has measured, if there is one."""
        ...
