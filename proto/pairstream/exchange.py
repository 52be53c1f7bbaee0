"""The client's decisions: whom to ask for which block, and when to ask again.

Pure: events and the time go in, messages to send come out. No socket, no clock, no thread, so that loss,
reorder, duplication and crash can be tested without any. `client.py` is the shell around it.

A block may be asked for as often as one likes, since it is a pure function of (spec, index): whatever was
asked of a worker that is gone or dawdles is asked of the next one in the block's order of preference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pairstream.block import PairBlock
from pairstream.errors import (
    PairstreamError,
    ProtocolError,
    RenderError,
    StreamTimeoutError,
    WorkerUnavailableError,
)
from pairstream.messages import Bye, Failed, Message, Opened, Refused, Want
from pairstream.peers import Peers
from pairstream.routing import preference
from pairstream.spec import StreamSpec
from pairstream.transport import Event, Garbled, Joined, Lost

Outbox = list[tuple[str, Message]]

_NOBODY: Mapping[int, str] = MappingProxyType({})


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
        fingerprint: see `Peers`.
    """

    def __init__(
        self,
        spec: StreamSpec,
        experiment: str,
        workers: Iterable[str],
        patience: float,
        fingerprint: str | None = None,
    ) -> None:
        self.peers = Peers(spec, experiment, workers, fingerprint)
        self._digest = spec.digest
        self._experiment = experiment
        self._patience = patience
        self._wanted: tuple[int, ...] = ()
        self._asks: dict[int, _Ask] = {}
        self._arrived: dict[int, PairBlock] = {}
        self._failures: defaultdict[int, dict[str, str]] = defaultdict(dict)

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
            return [(event.worker, self.peers.joined(event.worker, now)), *self._assign(now)]
        if isinstance(event, Lost):
            self.peers.left(event.worker, event.reason)
        elif isinstance(event, Garbled):
            self.peers.refuse(event.worker, f"it sent {event.error}", ProtocolError)
        else:
            self._hear(event.worker, event.message)
        return self._assign(now)

    def tick(self, now: float) -> Outbox:
        """Ask again for what is overdue; call it about once a second."""
        long_ago = now - self._patience
        openings: Outbox = [(worker, self.peers.joined(worker, now)) for worker in self.peers.mute(long_ago)]
        overdue = {index: ask.worker for index, ask in self._asks.items() if ask.at < long_ago}
        for index in overdue:
            del self._asks[index]
        return openings + self._assign(now, avoid=overdue)

    def has(self, index: int) -> bool:
        """Whether the block has come."""
        return index in self._arrived

    def take(self, index: int) -> PairBlock:
        """The block that has come; it is handed out once."""
        return self._arrived.pop(index)

    def opened(self) -> bool:
        """Whether any worker serves the stream."""
        return bool(self.peers.serving)

    def verdict(self, index: int | None = None) -> PairstreamError | None:
        """The error that makes further waiting pointless, if there is one."""
        failures = self._failures.get(index, {}) if index is not None else {}
        if failures and set(self.peers.serving) <= set(failures):
            worker, reason = next(iter(failures.items()))
            return RenderError(f"block {index} of stream {self._digest[:12]}: {worker} says: {reason}")
        return self.peers.verdict()

    def expired(self, index: int | None, seconds: float) -> PairstreamError:
        """The error for a wait of `seconds` that led to nothing: for what, on whom, and why."""
        what = "an answer to OPEN" if index is None else f"block {index} of stream {self._digest[:12]}"
        waited = f"waited {seconds:.1f} s for {what}: {self.situation(index)}"
        if not self.opened():
            return WorkerUnavailableError(f"{waited}; start one with `synth-server serve`, or correct the URL")
        return StreamTimeoutError(
            f"{waited}; the worker is overloaded or stuck (see `synth-server status`), or raise the time-out"
        )

    def situation(self, index: int | None) -> str:
        """On whom the consumer waits, in one sentence."""
        if index is not None and (ask := self._asks.get(index)):
            return f"asked of {ask.worker}, which is connected but has not sent it"
        return str(self.peers)

    def _hear(self, worker: str, message: Message) -> None:
        """A worker said something."""
        if isinstance(message, PairBlock):
            self._receive(worker, message)
        elif isinstance(message, Opened):
            self.peers.opened(worker, message)
        elif isinstance(message, Refused):
            self.peers.refuse(worker, message.reason)
        elif isinstance(message, Failed):
            self._failed(worker, message)
        elif isinstance(message, Bye):
            self.peers.left(worker, f"left: {message.reason}")
        else:
            self.peers.refuse(worker, f"it sent {type(message).__name__}, as only clients do", ProtocolError)

    def _receive(self, worker: str, block: PairBlock) -> None:
        if not self.peers.fits(block):
            self.peers.refuse(worker, f"its {block} is not of the layout it promised", ProtocolError)
        elif block.digest == self._digest:
            self._asks.pop(block.index, None)
            if block.index in self._wanted:
                self._arrived.setdefault(block.index, block)

    def _failed(self, worker: str, message: Failed) -> None:
        self._asks.pop(message.index, None)
        if message.index in self._wanted:
            self._failures[message.index][worker] = message.reason

    def _assign(self, now: float, avoid: Mapping[int, str] = _NOBODY) -> Outbox:
        """Ask for every wanted block that nobody who serves was asked for, of the best worker for it."""
        serving = self.peers.serving
        self._asks = {index: ask for index, ask in self._asks.items() if ask.worker in serving}
        batches: defaultdict[str, list[int]] = defaultdict(list)
        for index in self._wanted:
            if index in self._asks or index in self._arrived:
                continue
            able = [name for name in serving if name not in self._failures.get(index, {})]
            order = preference(self._digest, index, able)
            elsewhere = [name for name in order if name != avoid.get(index)]
            for worker in (elsewhere or order)[:1]:
                self._asks[index] = _Ask(worker, now)
                batches[worker].append(index)
        return [
            (worker, Want(digest=self._digest, indices=tuple(batch), experiment=self._experiment))
            for worker, batch in batches.items()
        ]
