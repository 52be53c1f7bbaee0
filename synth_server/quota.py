"""How much may wait to be rendered: for one client, for one experiment, and in all.

Pure. What is beyond a bound is refused at once, with the bound's name: a queue that swells helps nobody, and a
client that is refused asks another worker.

An experiment may wait for no more than is left for all others. So one alone takes at most half, n greedy ones
take 1/(n+1) each, and there is always room for one that comes later (the dynamic thresholds of Choudhury & Hahne,
1998, who divide the memory of a switch like that).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from synth_server.limits import MIB

#: The names of the bounds; they are labels of a metric. The last two are those of `roster.py`.
Bound = Literal["client_blocks", "client_bytes", "blocks", "bytes", "clients", "streams"]
BOUNDS: Final[tuple[Bound, ...]] = get_args(Bound)


class Refusal(NamedTuple):
    """Which bound is reached, and what to tell the client."""

    bound: Bound
    reason: str


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What may wait. Blocks of one client count once for it, however many others wait for them too."""

    client_blocks: int = 128
    client_bytes: int = 512 * MIB
    """A client that waits for nothing may ask for one block of any size."""
    blocks: int = 4_096
    bytes: int = 8_192 * MIB
    """Where nothing waits, one block of any size may."""


@dataclass(slots=True)
class _Load:
    blocks: int = 0
    bytes: int = 0

    def add(self, blocks: int, nbytes: int) -> None:
        self.blocks += blocks
        self.bytes += nbytes


class Quota:
    """Counts what waits, and says what is too much.

    Args:
        bounds: what may wait.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._all = _Load()
        self._clients: defaultdict[bytes, _Load] = defaultdict(_Load)
        self._experiments: defaultdict[str, _Load] = defaultdict(_Load)

    @property
    def blocks(self) -> int:
        """Asks that wait, of all clients."""
        return self._all.blocks

    @property
    def nbytes(self) -> int:
        """Bytes that will be sent for them."""
        return self._all.bytes

    def take(self, client: bytes, experiment: str, nbytes: int) -> Refusal | None:
        """Let a block of this size wait for the client; or say why not."""
        refusal = self._refusal(self._clients.get(client), experiment, nbytes)
        if refusal is None:
            for load in (self._all, self._clients[client], self._experiments[experiment]):
                load.add(1, nbytes)
        return refusal

    def give(self, client: bytes, experiment: str, nbytes: int) -> None:
        """One that was taken waits no longer."""
        self._all.add(-1, -nbytes)
        if self._clients[client].blocks == 1:
            del self._clients[client]
        else:
            self._clients[client].add(-1, -nbytes)
        if self._experiments[experiment].blocks == 1:
            del self._experiments[experiment]
        else:
            self._experiments[experiment].add(-1, -nbytes)

    def _refusal(self, client: _Load | None, experiment: str, nbytes: int) -> Refusal | None:
        bounds = self._bounds
        if client and client.blocks >= bounds.client_blocks:
            reason = f"you wait for {client.blocks} blocks already, the most that one client may; lower the credit"
            return Refusal("client_blocks", reason)
        if client and client.bytes + nbytes > bounds.client_bytes:
            reason = (
                f"you wait for {client.bytes // MIB} MiB already, and one client may for {bounds.client_bytes // MIB} "
                "MiB at most; lower the credit"
            )
            return Refusal("client_bytes", reason)
        if not self._all.blocks:
            return None
        mine = self._experiments.get(experiment) or _Load()
        if mine.blocks >= bounds.blocks - self._all.blocks:
            counts = f"{self._all.blocks} of {bounds.blocks} blocks"
            return Refusal("blocks", f"{counts} wait here, {mine.blocks} of them for your experiment")
        if mine.bytes + nbytes > bounds.bytes - self._all.bytes:
            sizes = f"{self._all.bytes // MIB} of {bounds.bytes // MIB} MiB"
            return Refusal("bytes", f"{sizes} wait here, {mine.bytes // MIB} of them for your experiment")
        return None
