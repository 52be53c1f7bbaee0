"""Which worker is asked first for a block: rendezvous hashing of (digest, index).

Every client computes the same order from the same names, so experiments at the same place ask the same
worker. When a worker joins or leaves, only the blocks that it ranks first for move.

Source: Thaler & Ravishankar, "Using name-based mappings to increase hit rates", 1998.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b


def preference(digest: str, index: int, workers: Iterable[str]) -> list[str]:
    """The workers, the one to ask first in front; the same for every client and every order of `workers`."""
    return sorted(workers, key=lambda worker: (_score(digest, index, worker), worker))


def _score(digest: str, index: int, worker: str) -> bytes:
    return blake2b(f"{digest}/{index}/{worker}".encode(), digest_size=8).digest()
