"""What client and worker say to each other: eight messages, the same on every transport.

    client                                   worker
    Open(spec, experiment)              ->
                                        <-   Opened(digest, layout, fingerprint, capacity, head)
                                             |  Refused(digest, reason)
    Want(digest, indices, experiment)   ->
                                        <-   PairBlock, as soon as it is rendered
                                             |  Failed(digest, index, reason)
                                             |  Busy(digest, indices, retry_seconds, reason)
    Bye(reason)                         <->  Bye(reason)

The client asks, the worker pushes what was asked for: what is asked for and not yet received is the
client's credit. Open may be said again at any time: to learn the newest head, and whether the worker is
still there. How the messages become bytes is `codec.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pairstream.block import PairBlock

#: Indices from here on are no part of following a stream: pairs that no training reaches. A training of a block
#: per millisecond would come here after 35 years.
FIRST_HELD_OUT = 1 << 40
#: There is no block of this index or a higher one.
MAX_INDEX = 1 << 63


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The shape of every block of a stream: theta (pairs, 2, parameters), audio (pairs, 2, samples)."""

    pairs: int
    parameters: int
    samples: int
    dtype: str

    @property
    def nbytes(self) -> int:
        """Bytes of a block's theta and audio."""
        return self.pairs * 2 * (4 * self.parameters + np.dtype(self.dtype).itemsize * self.samples)


@dataclass(frozen=True, kw_only=True)
class Open:
    """The client names the stream it wants. `spec` is `StreamSpec.as_dict()`, yet to be validated."""

    spec: Mapping[str, Any]
    experiment: str


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The worker serves this stream. Workers with equal fingerprints render equal bytes."""

    digest: str
    layout: Layout
    fingerprint: str
    capacity: int = 1
    """Pairs per second that the worker can render: its weight among others. The same for all clients while it runs."""
    head: int | None = None
    """The highest index of this stream that it lately served to anyone, below `FIRST_HELD_OUT`; None if none."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The worker will not serve this stream, and why. `digest` is empty where the spec had none."""

    digest: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Want:
    """The client wants these blocks, in this order of urgency."""

    digest: str
    indices: tuple[int, ...]
    experiment: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The worker cannot give this block, and why."""

    digest: str
    index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Busy:
    """The worker has too much to do and drops these asks: ask elsewhere, or here again after `retry_seconds`."""

    digest: str
    indices: tuple[int, ...]
    retry_seconds: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Bye:
    """The sender is leaving and will answer nothing more."""

    reason: str


Message = Open | Opened | Refused | Want | PairBlock | Failed | Busy | Bye
