"""The client's decisions: whom to ask for which block, and when to ask again.

Pure: events and the time go in, messages to send come out. No socket, no clock, no thread, so that loss,
reorder, duplication and crash can be tested without any. `client.py` is the shell around it.

A block may be asked for as often as one likes, since it is a pure function of (spec, index). What was asked
of a worker that is gone, busy or failed is asked of the next one in the block's order of preference. What is
late is asked of the next one as well, within an allowance; whichever comes first counts, and the loser is not
told, as what it renders may serve another experiment.

How long a block is on its way counts only while the consumer waits (see `pause`): a step of a minute makes no
worker look slow.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from pairstream import waiting
from pairstream.asks import Asks
from pairstream.block import PairBlock
from pairstream.errors import PairstreamError, ProtocolError
from pairstream.hedging import Hedging
from pairstream.messages import Busy, Bye, Failed, Message, Opened, Refused, Want
from pairstream.peers import Peers
from pairstream.spec import StreamSpec
from pairstream.transport import Event, Garbled, Joined, Lost
from pairstream.wanted import Wanted

Outbox = list[tuple[str, Message]]


class Exchange:
    """One client's conversation with all its workers about one stream.

    Args:
        spec: the stream.
        experiment: the name under which the workers count what they serve.
        workers: the workers' names.
        patience: seconds after which a block that has not come is asked for again, elsewhere if possible.
        fingerprint: see `Peers`.
        burst: see `Allowance`.
    """

    def __init__(
        self,
        spec: StreamSpec,
        experiment: str,
        workers: Iterable[str],
        patience: float,
        *,
        fingerprint: str | None = None,
        burst: int = 16,
    ) -> None:
        self.peers = Peers(spec, experiment, workers, fingerprint)
        self.counts: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self._digest = spec.digest
        self._experiment = experiment
        self._patience = patience
        self._paused = 0.0
        self._now = 0.0
        self._wanted = Wanted()
        self._asks = Asks()
        self._hedging = Hedging(self._asks, self.peers.health, patience, burst)

    def want(self, indices: Iterable[int], now: float) -> Outbox:
        """The blocks the consumer needs next, most urgent first; anything else is forgotten."""
        fresh, dropped = self._wanted.replace(tuple(indices))
        for index in dropped:
            self._asks.forget(index)
        if fresh:
            self._hedging.allowance.earn(fresh)
        return self._assign(now)

    def handle(self, event: Event, now: float) -> Outbox:
        """Take note of what a transport reported."""
        if event.worker not in self.peers:
            return []  # it was removed while this was on its way
        if isinstance(event, Joined):
            self._void(event.worker)
            return [(event.worker, self.peers.joined(event.worker, now)), *self._assign(now)]
        if isinstance(event, Lost):
            self._leave(event.worker, event.reason)
        elif isinstance(event, Garbled):
            self._refuse(event.worker, f"it sent {event.error}", ProtocolError)
        else:
            self.peers.health.heard(event.worker, self._listened(now))
            self._hear(event.worker, event.message, now)
        return self._assign(now)

    def pause(self, seconds: float) -> None:
        """The client did not listen for so long, since its consumer had other things to do."""
        self._paused += seconds

    def tick(self, now: float) -> Outbox:
        """Ask again for what is late; call it a few times a second, once nothing more is there to be handled."""
        openings: Outbox = [
            (worker, self.peers.joined(worker, now)) for worker in self.peers.unanswered(now - self._patience)
        ]
        openings += [(worker, self.peers.opening) for worker in self.peers.health.to_probe(now)]
        return openings + self._overdue(now) + self._assign(now)

    def look_for_head(self) -> Outbox:
        """Ask all workers anew which index they served last; `peers.head` is the answer when it has come."""
        return [(worker, self.peers.opening) for worker in self.peers.serving]

    def add(self, worker: str) -> None:
        """Another worker was found; its connection will come up."""
        self.peers.add(worker)

    def remove(self, worker: str, now: float) -> Outbox:
        """A worker is no more; its connection is closed."""
        self._void(worker)
        self._hedging.latencies.forget(worker)
        self.peers.remove(worker)
        return self._assign(now)

    def has(self, index: int) -> bool:
        """Whether the block has come."""
        return self._wanted.has(index)

    def forgive(self, index: int) -> None:
        """The consumer was told that it cannot have this block; should it want it still, it is asked for anew."""
        self._wanted.forgive(index)

    def take(self, index: int) -> PairBlock:
        """The block that has come; it is handed out once, and not wanted any more."""
        return self._wanted.take(index)

    def opened(self) -> bool:
        """Whether any worker serves the stream."""
        return bool(self.peers.serving)

    def verdict(self, index: int | None = None) -> PairstreamError | None:
        """The error that makes further waiting pointless, if there is one."""
        failures = self._wanted.failures.get(index, {}) if index is not None else {}
        return waiting.failed(self._name(index), self.peers, failures) or self.peers.verdict()

    def expired(self, index: int | None, seconds: float) -> PairstreamError:
        """The error for a wait of `seconds` that led to nothing: for what, on whom, and why."""
        return waiting.expired(self._name(index), seconds, self.peers, self.situation(index))

    def situation(self, index: int | None) -> str:
        """On whom the consumer waits, and for how long already."""
        asked = {} if index is None else self._asks.of(index)
        return waiting.situation(self.peers, asked, self._listened(self._now))

    def _name(self, index: int | None) -> str:
        """What is waited for, in words."""
        return "an answer to OPEN" if index is None else f"block {index} of stream {self._digest[:12]}"

    def _listened(self, now: float) -> float:
        """The time without the consumer's pauses."""
        self._now = now
        return now - self._paused

    def _hear(self, worker: str, message: Message, now: float) -> None:
        """A worker said something."""
        if isinstance(message, PairBlock):
            self._receive(worker, message, now)
        elif isinstance(message, Opened):
            self.peers.opened(worker, message)
            if worker not in self.peers.serving:
                self._void(worker)
        elif isinstance(message, Refused):
            self._refuse(worker, message.reason)
        elif isinstance(message, Failed):
            self._failed(worker, message)
        elif isinstance(message, Busy):
            self._busy(worker, message, now)
        elif isinstance(message, Bye):
            self._leave(worker, f"left: {message.reason}")
        else:
            self._refuse(worker, f"it sent {type(message).__name__}, as only clients do", ProtocolError)

    def _receive(self, worker: str, block: PairBlock, now: float) -> None:
        if not self.peers.fits(block):
            self._refuse(worker, f"its {block} is not of the layout it promised", ProtocolError)
            return
        if block.digest != self._digest:
            return
        at = self._asks.came(block.index, worker)
        if at is not None and at >= self.peers.health.back_since(worker):
            self._hedging.latencies.note(worker, self._listened(now) - at)
        if self._wanted.came(block):
            self.received[worker] += 1
        else:
            self.counts["duplicates"] += 1

    def _failed(self, worker: str, message: Failed) -> None:
        """Only of what it was asked for since it joined: one that was restarted unseen knows no stream yet."""
        if message.digest == self._digest and worker in self._asks.of(message.index):
            self._wanted.failed(message.index, worker, message.reason)
            self._ask_again([message.index] if self._asks.void(message.index, worker) else [])

    def _busy(self, worker: str, message: Busy, now: float) -> None:
        self.counts["busy"] += 1
        self.peers.busy(worker, message, now)
        if message.digest == self._digest:
            self._ask_again([index for index in message.indices if self._asks.void(index, worker)])

    def _leave(self, worker: str, reason: str) -> None:
        self.peers.left(worker, reason)
        self._void(worker)

    def _refuse(self, worker: str, reason: str, error: type[PairstreamError] | None = None) -> None:
        self.peers.refuse(worker, reason, *([error] if error else []))
        self._void(worker)

    def _void(self, worker: str) -> None:
        """Nothing more will come from this worker of what it was asked for."""
        self._ask_again(self._asks.void_all(worker))

    def _ask_again(self, indices: Collection[int]) -> None:
        self.counts["reasks"] += len(indices)
        self._wanted.ask_again(indices)

    def _overdue(self, now: float) -> Outbox:
        """Second asks for what is late."""
        listened = self._listened(now)
        batches: defaultdict[str, list[int]] = defaultdict(list)
        for again in list(self._hedging.overdue(listened, now, self._wanted.failures)):
            self.counts["reasks" if again.instead else "hedges"] += 1
            if again.instead:
                self._asks.forget(again.index)
            self._asks.add(again.index, again.worker, listened)
            batches[again.worker].append(again.index)
        return self._wants(batches)

    def _assign(self, now: float) -> Outbox:
        """Ask for every wanted block that nobody was asked for, of the best worker for it."""
        unasked = self._wanted.to_ask()
        if not unasked:
            return []
        listened = self._listened(now)
        batches: defaultdict[str, list[int]] = defaultdict(list)
        for index in unasked:
            if worker := self.peers.health.first(index, now, self._wanted.failures.get(index, ())):
                self._wanted.asked(index)
                self._asks.add(index, worker, listened)
                batches[worker].append(index)
        return self._wants(batches)

    def _wants(self, batches: dict[str, list[int]]) -> Outbox:
        self.counts["asks"] += sum(map(len, batches.values()))
        return [
            (worker, Want(digest=self._digest, indices=tuple(batch), experiment=self._experiment))
            for worker, batch in batches.items()
        ]
