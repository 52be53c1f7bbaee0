"""How much may wait to be rendered: for one client, for one experiment, and in all.

Pure. What is beyond a bound is refused at once, with the bound's name: a queue that swells helps nobody, and a
client that is refused asks another worker.

An experiment may wait for no more than is left for all others. So one alone takes at most half, n greedy ones
take 1/(n+1) each, and there is always room for one that comes later (the dynamic thresholds of Choudhury & Hahne,
1998, who divide the memory of a switch like that).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, get_args

from synth_server.limits import MIB

#: The names of the bounds; they are labels of a metric. Clients and streams are those of `roster.py`, unread is that of
#: `serving.py`.
Bound = Literal["client_blocks", "client_bytes", "blocks", "bytes", "clients", "streams", "unread"]
BOUNDS: Final[tuple[Bound, ...]] = get_args(Bound)


#: Counts that are kept of clients, and of experiments, when nothing of theirs waits: the next ask needs them again.
KEPT: Final = 256


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


class Load:
    """What waits for one client, one experiment, or in all."""

    __slots__ = ("blocks", "nbytes")

    def __init__(self) -> None:
        self.blocks = self.nbytes = 0

    def add(self, blocks: int, nbytes: int) -> None:
        """So much more; or less, if negative."""
        self.blocks += blocks
        self.nbytes += nbytes


_NOTHING: Final = Load()


class Quota:
    """Counts what waits, and says what is too much.

    Args:
        bounds: what may wait.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._all = Load()
        self._experiments: dict[str, Load] = {}

    @property
    def nbytes(self) -> int:
        """Bytes that will be sent for all asks that wait."""
        return self._all.nbytes

    def take(self, client: Load, experiment: str, nbytes: int) -> Refusal | None:
        """Let a block of this size wait for the client; or say why not."""
        mine = self._experiments.get(experiment, _NOTHING)
        if refusal := self._refusal(client, mine, nbytes):
            return refusal
        if mine is _NOTHING:
            mine = self._experiments[experiment] = Load()
        mine.add(1, nbytes)
        client.add(1, nbytes)
        self._all.add(1, nbytes)
        return None

    def give(self, client: Load, experiment: str, nbytes: int) -> None:
        """One that was taken waits no longer."""
        mine = self._experiments[experiment]
        mine.add(-1, -nbytes)
        if not mine.blocks and len(self._experiments) > KEPT:
            del self._experiments[experiment]
        client.add(-1, -nbytes)
        self._all.add(-1, -nbytes)

    def _refusal(self, client: Load, mine: Load, nbytes: int) -> Refusal | None:
        bounds = self._bounds
        if client.blocks >= bounds.client_blocks:
            reason = f"you wait for {client.blocks} blocks already, the most that one client may; lower the credit"
            return Refusal("client_blocks", reason)
        if client.blocks and client.nbytes + nbytes > bounds.client_bytes:
            reason = (
                f"you wait for {client.nbytes // MIB} MiB already, and one client may for {bounds.client_bytes // MIB} "
                "MiB at most; lower the credit"
            )
            return Refusal("client_bytes", reason)
        if not self._all.blocks:
            return None
        if mine.blocks >= bounds.blocks - self._all.blocks:
            counts = f"{self._all.blocks} of {bounds.blocks} blocks"
            return Refusal("blocks", f"{counts} wait here, {mine.blocks} of them for your experiment")
        if mine.nbytes + nbytes > bounds.bytes - self._all.nbytes:
            sizes = f"{self._all.nbytes // MIB} of {bounds.bytes // MIB} MiB"
            return Refusal("bytes", f"{sizes} wait here, {mine.nbytes // MIB} of them for your experiment")
        return None
