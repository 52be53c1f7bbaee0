"""What a client knows of its workers: which are there, which serve its stream, and why the others do not.

Pure, as `exchange.py` is, which asks this file whom it may ask for blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pairstream.block import PairBlock
from pairstream.errors import PairstreamError, ProtocolError, RefusedError
from pairstream.health import Health
from pairstream.messages import Busy, Layout, Open, Opened
from pairstream.spec import StreamSpec

#: Workers that a sentence about them names.
_NAMED = 6


@dataclass
class _Peer:
    """One worker: not connected, asked to open the stream, serving it, or of no use."""

    state: Literal["away", "opening", "open", "refused"] = "away"
    reason: str = "no answer yet"
    since: float = 0.0
    error: type[PairstreamError] = RefusedError
    """What a refusal is to the user."""
    head: int | None = None


class Peers:
    """The workers of one client and one stream.

    Args:
        spec: the stream that they should open.
        experiment: the name under which they count what they serve.
        workers: their names.
        fingerprint: the arithmetic they must have; None takes that of the first to open the stream.
    """

    def __init__(
        self, spec: StreamSpec, experiment: str, workers: Iterable[str], fingerprint: str | None = None
    ) -> None:
        self.opening = Open(spec=spec.as_dict(), experiment=experiment)
        self.health = Health(spec.digest)
        self.fingerprint = fingerprint
        self.layout: Layout | None = None
        self.search = ""
        """What there is to say about the search for workers."""
        self._spec = spec
        self._peers = {worker: _Peer() for worker in workers}

    @property
    def serving(self) -> list[str]:
        """The workers that may be asked for blocks."""
        return [name for name, peer in self._peers.items() if peer.state == "open"]

    @property
    def connected(self) -> list[str]:
        """The workers that there is a connection to, of use or perhaps of use soon."""
        return [name for name, peer in self._peers.items() if peer.state in ("open", "opening")]

    @property
    def head(self) -> int | None:
        """The highest index that the workers, each when it was last asked, had lately served to anyone."""
        return max((peer.head for peer in self._peers.values() if peer.head is not None), default=None)

    def __contains__(self, worker: object) -> bool:
        return worker in self._peers

    def add(self, worker: str) -> None:
        """Another worker was found; its connection will come up."""
        self._peers.setdefault(worker, _Peer())

    def remove(self, worker: str) -> None:
        """A worker is no more."""
        self._peers.pop(worker, None)
        self.health.drop(worker)

    def joined(self, worker: str, now: float) -> Open:
        """A connection came up, or was never answered; what to say to the worker."""
        self._set(worker, _Peer("opening", "connected, has not answered OPEN", now))
        return self.opening

    def left(self, worker: str, reason: str) -> None:
        """It is gone; it may come back."""
        self._set(worker, _Peer("away", reason))

    def refuse(self, worker: str, reason: str, error: type[PairstreamError] = RefusedError) -> None:
        """It is of no use for this stream until it joins anew."""
        self._set(worker, _Peer("refused", reason, error=error))

    def opened(self, worker: str, message: Opened) -> None:
        """It says that it serves the stream; it does if its bytes are those of the others."""
        spec, layout = self._spec, message.layout
        expected = Layout(pairs=spec.block_pairs, parameters=layout.parameters, samples=spec.samples, dtype=spec.dtype)
        if message.digest != spec.digest or layout != expected:
            self.refuse(worker, f"it opened stream {message.digest[:12]} with {layout}, which was not asked for")
        elif self.fingerprint not in (None, message.fingerprint):
            here, before = message.fingerprint, self.fingerprint
            self.refuse(
                worker, f"its bytes would differ: it computes with [{here}], this stream so far with [{before}]"
            )
        elif self._peers[worker].state in ("opening", "open"):
            self.fingerprint, self.layout = message.fingerprint, layout
            self._peers[worker] = _Peer("open", "serving", head=message.head)
            self.health.serve(worker, message.capacity)

    @property
    def undecided(self) -> bool:
        """Whether of any worker it is not known yet what it is good for."""
        return any(peer.state == "opening" or peer.reason == _Peer.reason for peer in self._peers.values())

    def unanswered(self, before: float) -> list[str]:
        """The workers that have not answered OPEN since a time earlier than `before`."""
        return [name for name, peer in self._peers.items() if peer.state == "opening" and peer.since < before]

    def busy(self, worker: str, message: Busy, now: float) -> None:
        """It asks to be left alone for a while; one that has not opened the stream yet is asked to again later."""
        self.health.busy(worker, message, now)
        if self._peers[worker].state == "opening":
            self._peers[worker].reason = f"busy: {message.reason}"

    def fits(self, block: PairBlock) -> bool:
        """Whether a block is of the shape and type that the workers promised."""
        layout = self.layout
        return layout is not None and (block.theta.shape, block.audio.shape, block.audio.dtype.name) == (
            (layout.pairs, 2, layout.parameters),
            (layout.pairs, 2, layout.samples),
            layout.dtype,
        )

    def verdict(self) -> PairstreamError | None:
        """The error that it is if no worker is of any use, and none will be by waiting."""
        if not self._peers or any(peer.state != "refused" for peer in self._peers.values()):
            return None
        garbled = any(peer.error is ProtocolError for peer in self._peers.values())
        reasons = "; ".join(_some([f"{name}: {peer.reason}" for name, peer in sorted(self._peers.items())]))
        return ProtocolError(reasons) if garbled else RefusedError(reasons)

    def __str__(self) -> str:
        said = [f"{name} is {peer.state} ({self._why(name, peer)})" for name, peer in self._peers.items()]
        return "; ".join([*_some(said), *([self.search] if self.search else [])]) or "there is no worker"

    def _why(self, name: str, peer: _Peer) -> str:
        return f"{peer.reason}, {self.health.describe(name)}" if peer.state == "open" else peer.reason

    def _set(self, worker: str, peer: _Peer) -> None:
        self._peers[worker] = peer
        self.health.drop(worker)


def _some(said: list[str]) -> list[str]:
    """The first few, and how many more there are."""
    return [*said[:_NAMED], f"and {len(said) - _NAMED} more"] if len(said) > _NAMED else said
