"""The client's decisions: whom to ask for which block, and when to ask again.

Pure: events and the time go in, messages to send come out. No socket, no clock, no thread, so that loss,
reorder, duplication and crash can be tested without any. `client.py` is the shell around it.

A block may be asked for as often as one likes, since it is a pure function of (spec, index): whatever was
asked of a worker that is gone or dawdles is asked of the next one in the block's order of preference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pairstream.block import PairBlock
from pairstream.errors import (
    PairstreamError,
    ProtocolError,
    RefusedError,
    RenderError,
    StreamTimeoutError,
    WorkerUnavailableError,
)
from pairstream.messages import Bye, Failed, Layout, Message, Open, Opened, Refused, Want
from pairstream.routing import preference
from pairstream.spec import StreamSpec
from pairstream.transport import Event, Joined, Lost

Outbox = list[tuple[str, Message]]


@dataclass
class _Peer:
    """What the client knows of one worker."""

    state: Literal["away", "opening", "open", "refused"] = "away"
    reason: str = "no answer yet"
    since: float = 0.0


@dataclass(frozen=True)
class _Ask:
    """A block that was asked of a worker and has not come."""

    worker: str
    at: float


class Exchange:
    """One client's conversation with all its workers about one stream.

    Args:
        spec: the stream.
        experiment: the name under which the workers count what they serve.
        workers: the workers' names.
        patience: seconds after which a block that has not come is asked for again, elsewhere if possible.
    """

    def __init__(self, spec: StreamSpec, experiment: str, workers: Iterable[str], patience: float) -> None:
        self._spec = spec
        self._experiment = experiment
        self._patience = patience
        self._peers = {worker: _Peer() for worker in workers}
        self._wanted: tuple[int, ...] = ()
        self._asks: dict[int, _Ask] = {}
        self._arrived: dict[int, PairBlock] = {}
        self._failures: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self.fingerprint: str | None = None
        self.layout: Layout | None = None

    def want(self, indices: Iterable[int], now: float) -> Outbox:
        """The blocks the consumer needs next, most urgent first; anything else is forgotten."""
        self._wanted = tuple(indices)
        needed = set(self._wanted)
        for book in (self._asks, self._arrived, self._failures):
            for index in [index for index in book if index not in needed]:
                del book[index]
        return self._assign(now)

    def handle(self, event: Event, now: float) -> Outbox:
        """Take note of what a transport reported."""
        if isinstance(event, Joined):
            return self._joined(event.worker, now)
        if isinstance(event, Lost):
            return self._gone(event.worker, event.reason, now)
        return self._received(event.worker, event.message, now)

    def tick(self, now: float) -> Outbox:
        """Ask again for what is overdue; call it about once a second."""
        mute = [
            name for name, peer in self._peers.items() if peer.state == "opening" and now - peer.since > self._patience
        ]
        overdue = {index: ask for index, ask in self._asks.items() if now - ask.at > self._patience}
        for index in overdue:
            del self._asks[index]
        openings = [opening for worker in mute for opening in self._joined(worker, now)]
        return openings + self._assign(now, avoid={index: ask.worker for index, ask in overdue.items()})

    def has(self, index: int) -> bool:
        """Whether the block has come."""
        return index in self._arrived

    def take(self, index: int) -> PairBlock:
        """The block that has come; it is handed out once."""
        return self._arrived.pop(index)

    def opened(self) -> bool:
        """Whether any worker serves the stream."""
        return any(peer.state == "open" for peer in self._peers.values())

    def verdict(self, index: int | None = None) -> PairstreamError | None:
        """The error that makes further waiting pointless, if there is one."""
        if all(peer.state == "refused" for peer in self._peers.values()):
            return RefusedError("; ".join(sorted(f"{name}: {peer.reason}" for name, peer in self._peers.items())))
        failures = self._failures.get(index, {}) if index is not None else {}
        serving = {name for name, peer in self._peers.items() if peer.state == "open"}
        if failures and serving <= set(failures):
            worker, reason = next(iter(failures.items()))
            return RenderError(f"block {index} of stream {self._spec.digest[:12]}: {worker} says: {reason}")
        return None

    def expired(self, index: int | None, seconds: float) -> PairstreamError:
        """The error for a wait of `seconds` that led to nothing: for what, on whom, and why."""
        what = f"block {index} of stream {self._spec.digest[:12]}" if index is not None else "an answer to OPEN"
        message = f"waited {seconds:.1f} s for {what}: {self.situation(index)}"
        if not self.opened():
            return WorkerUnavailableError(f"{message}; start one with `synth-server serve`, or correct the URL")
        return StreamTimeoutError(
            f"{message}; the worker is overloaded or stuck (see `synth-server status`), or raise the time-out"
        )

    def situation(self, index: int | None) -> str:
        """On whom the consumer waits, in one sentence."""
        if index is not None and (ask := self._asks.get(index)):
            return f"asked of {ask.worker}, which is connected but has not sent it"
        return "; ".join(f"{name} is {peer.state} ({peer.reason})" for name, peer in self._peers.items())

    def _joined(self, worker: str, now: float) -> Outbox:
        self._peers[worker] = _Peer("opening", "connected, has not answered OPEN", now)
        return [(worker, Open(spec=self._spec.as_dict(), experiment=self._experiment))]

    def _gone(self, worker: str, reason: str, now: float) -> Outbox:
        self._peers[worker] = _Peer("away", reason)
        self._asks = {index: ask for index, ask in self._asks.items() if ask.worker != worker}
        return self._assign(now)

    def _received(self, worker: str, message: Message, now: float) -> Outbox:
        if isinstance(message, PairBlock):
            return self._block(worker, message, now)
        if isinstance(message, Opened):
            return self._opened(worker, message, now)
        if isinstance(message, Refused):
            return self._refuse(worker, message.reason, now)
        if isinstance(message, Failed):
            if message.index in self._wanted:
                self._failures[message.index][worker] = message.reason
            self._asks.pop(message.index, None)
            return self._assign(now)
        if isinstance(message, Bye):
            return self._gone(worker, f"left: {message.reason}", now)
        raise ProtocolError(f"{worker} sent {type(message).__name__}, which only clients send")

    def _opened(self, worker: str, message: Opened, now: float) -> Outbox:
        spec, layout = self._spec, message.layout
        expected = Layout(pairs=spec.block_pairs, parameters=layout.parameters, samples=spec.samples, dtype=spec.dtype)
        if message.digest != spec.digest or layout != expected:
            return self._refuse(
                worker, f"it opened stream {message.digest[:12]} with {layout}, which was not asked for", now
            )
        if self.fingerprint not in (None, message.fingerprint):
            return self._refuse(
                worker,
                f"its bytes would differ: it computes with {message.fingerprint}, others with {self.fingerprint}",
                now,
            )
        self.fingerprint, self.layout = message.fingerprint, layout
        self._peers[worker] = _Peer("open", "serving")
        return self._assign(now)

    def _refuse(self, worker: str, reason: str, now: float) -> Outbox:
        outbox = self._gone(worker, reason, now)
        self._peers[worker] = _Peer("refused", reason)
        return outbox

    def _block(self, worker: str, block: PairBlock, now: float) -> Outbox:
        layout = self.layout
        fits = layout and block.theta.shape == (layout.pairs, 2, layout.parameters)
        if (
            not layout
            or not fits
            or block.audio.shape != (layout.pairs, 2, layout.samples)
            or block.audio.dtype != layout.dtype
        ):
            return self._refuse(worker, f"its block {block.index} is not of the layout it promised", now)
        if block.digest == self._spec.digest:
            self._asks.pop(block.index, None)
            if block.index in self._wanted:
                self._arrived.setdefault(block.index, block)
        return []

    def _assign(self, now: float, avoid: dict[int, str] | None = None) -> Outbox:
        """Ask for every wanted block that nobody was asked for, of the best worker that serves the stream."""
        serving = [name for name, peer in self._peers.items() if peer.state == "open"]
        batches: defaultdict[str, list[int]] = defaultdict(list)
        for index in self._wanted:
            if index in self._asks or index in self._arrived:
                continue
            able = [name for name in serving if name not in self._failures.get(index, {})]
            shunned = (avoid or {}).get(index)
            order = sorted(preference(self._spec.digest, index, able), key=lambda name: name == shunned)
            if order:
                self._asks[index] = _Ask(order[0], now)
                batches[order[0]].append(index)
        return [
            (worker, Want(digest=self._spec.digest, indices=tuple(batch), experiment=self._experiment))
            for worker, batch in batches.items()
        ]
