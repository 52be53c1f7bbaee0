"""What client and worker say to each other: seven messages, the same on every transport.

    client                                   worker
    Open(spec, experiment)              ->
                                        <-   Opened(digest, layout, fingerprint)  |  Refused(digest, reason)
    Want(digest, indices, experiment)   ->
                                        <-   PairBlock, as soon as it is rendered |  Failed(digest, index, reason)
    Bye(reason)                         <->  Bye(reason)

The client asks, the worker pushes what was asked for: what is asked for and not yet received is the
client's credit. How the messages become bytes is `codec.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pairstream.block import PairBlock


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The shape of every block of a stream: theta (pairs, 2, parameters), audio (pairs, 2, samples)."""

    pairs: int
    parameters: int
    samples: int
    dtype: str


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
class Bye:
    """The sender is leaving and will answer nothing more."""

    reason: str


Message = Open | Opened | Refused | Want | PairBlock | Failed | Bye
