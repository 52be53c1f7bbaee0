"""The client: blocks of one stream, in order, from whoever serves it.

A thin shell around `exchange.py`: it moves events and messages between a transport and the exchange,
holds the clock, and turns waits that lead to nothing into errors that say for what, on whom and why.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, islice
from types import TracebackType
from typing import Self

from pairstream import logs
from pairstream.block import PairBlock
from pairstream.discovery import Discovery, FixedWorkers, roster_changes
from pairstream.errors import ConfigError
from pairstream.exchange import Exchange, Outbox
from pairstream.messages import MAX_INDEX, Bye, Layout
from pairstream.spec import StreamSpec
from pairstream.stats import ClientStats, Demand
from pairstream.transport import Transport

_log = logging.getLogger(__name__)

#: Seconds between checks for what is late: while nothing comes, and at most.
TICK_SECONDS, LONGEST_TICK_SECONDS = 0.05, 1.0
#: Seconds between log lines about a wait, and between questions for the head.
COMPLAIN_SECONDS, HEAD_SECONDS = 5.0, 1.0
#: Once a worker has answered, how long the others may take to be there from the first block on.
SETTLE_SECONDS = 0.25
#: Never more blocks on the way than this, however small they are.
MAX_CREDIT_BLOCKS = 64


class Client:
    """A connection to one stream. Use `connect` to make one, and close it or use it in a `with`.

    Args:
        transport: the connections to the workers; the client owns and closes it.
        spec: the stream.
        experiment: the name under which workers count what they serve.
        timeout: the longest that any one wait may last, in seconds.
        credit_bytes: how many bytes of blocks may be asked for ahead of the consumer; always at least one block.
        fingerprint: the arithmetic the blocks must come from; None takes the first worker's.
        discovery: where workers are found; None for those that the transport has.
        clock: seconds that never run backwards.

    Raises:
        WorkerUnavailableError, StreamTimeoutError: no worker opened the stream within `timeout`.
        RefusedError: every worker refused it.
    """

    def __init__(
        self,
        transport: Transport,
        spec: StreamSpec,
        *,
        experiment: str,
        timeout: float,
        credit_bytes: int,
        fingerprint: str | None = None,
        discovery: Discovery | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if timeout <= 0:
            raise ConfigError(f"timeout={timeout!r} seconds; use more than 0")
        self.spec = spec
        self.timeout = timeout
        self.credit = min(MAX_CREDIT_BLOCKS, max(1, credit_bytes // spec.audio_bytes))
        self._transport = transport
        self._discovery = discovery or FixedWorkers(transport.workers)
        self._exchange = Exchange(
            spec, experiment, transport.workers, timeout / 4, fingerprint=fingerprint, burst=self.credit
        )
        self._demand = Demand()
        self._steps, self._waited = 0, 0.0
        self._clock = clock
        self._ticked = self._asked_for_head = float("-inf")
        self._listened_until = clock()
        self._began: float | None = None
        self._closed = False
        try:
            self._wait(None, self._exchange.opened)
            self._settle()
        except BaseException:
            self.close()
            raise

    @property
    def layout(self) -> Layout:
        """The shape of every block."""
        assert self._exchange.peers.layout is not None, "a client that has opened its stream knows the layout"
        return self._exchange.peers.layout

    @property
    def fingerprint(self) -> str:
        """Names the arithmetic that all blocks of this client come from."""
        assert self._exchange.peers.fingerprint is not None, "a client that has opened its stream knows the fingerprint"
        return self._exchange.peers.fingerprint

    @property
    def capacity(self) -> int:
        """Pairs per second that all workers which serve the stream can render together."""
        return self._exchange.peers.health.capacity

    def fetch(self, index: int, ahead: Iterable[int] = ()) -> PairBlock:
        """Block `index`; those `ahead` are asked for as well, as far as the credit goes, for the next calls to find.

        Raises:
            StreamTimeoutError, WorkerUnavailableError: it did not come within the time-out.
            RenderError, RefusedError, ConfigError: nobody can give it, or there is no such index.
        """
        if not 0 <= index < MAX_INDEX:
            raise ConfigError(f"index={index} is no block of a stream; use 0 to 2**63 - 1")
        wanted = tuple(islice(dict.fromkeys((index, *ahead)), self.credit))
        asked = self._clock()
        self._began = asked if self._began is None else self._began
        self._send(self._exchange.want(wanted, asked))
        waited = self._wait(index, partial(self._exchange.has, index))
        block = self._exchange.take(index)
        self._stepped(asked, waited)
        return block

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[PairBlock]:
        """Blocks `start`, `start` + 1, … in order, each exactly once, up to but without `stop`."""
        return self.follow(count(start) if stop is None else range(start, stop))

    def follow(self, indices: Iterable[int]) -> Iterator[PairBlock]:
        """The blocks of these indices, in their order; `credit` of them are asked for ahead."""
        upcoming = iter(indices)
        ahead = deque(islice(upcoming, self.credit))
        asked = self._clock()
        self._began = asked if self._began is None else self._began
        while ahead:
            self._send(self._exchange.want(ahead, self._clock()))
            index = ahead.popleft()
            waited = self._wait(index, partial(self._exchange.has, index))
            block = self._exchange.take(index)
            ahead.extend(islice(upcoming, 1))
            self._send(self._exchange.want(ahead, self._clock()))
            asked = self._stepped(asked, waited)
            yield block

    def head(self) -> int | None:
        """The highest index that any worker lately served to anyone; None if they have served nothing lately.

        It does not wait: the answer is as old as the last one, and a newer one is asked for once a second.
        """
        now = self._clock()
        if now - self._asked_for_head >= HEAD_SECONDS:
            self._asked_for_head = now
            self._send(self._exchange.look_for_head())
        return self._exchange.peers.head

    def stats(self) -> ClientStats:
        """What was measured until now."""
        counts, workers = self._exchange.counts, len(self._exchange.peers.serving)
        return ClientStats(
            steps=self._steps,
            seconds=0.0 if self._began is None else self._clock() - self._began,
            waited_seconds=self._waited,
            received=dict(self._exchange.received),
            workers=workers,
            workers_desired=self._demand.workers_desired(workers),
            **{name: counts[name] for name in ("asks", "hedges", "reasks", "duplicates", "busy")},
        )

    def close(self) -> None:
        """Say good-bye and release the connections; idempotent."""
        if not self._closed:
            self._closed = True
            for worker in self._transport.workers:  # one that stops waits for this, so that nothing is lost
                self._transport.send(worker, Bye(reason="done"))
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _stepped(self, asked: float, waited: float) -> float:
        """A block is handed out, after `waited` seconds; the last one was at the time `asked`."""
        now = self._clock()
        self._steps += 1
        self._waited += waited
        self._demand.note(now - asked, waited)
        return now

    def _wait(self, index: int | None, done: Callable[[], bool]) -> float:
        """Move events until `done`, and say after how many seconds; raise once there is nothing to hope for."""
        began = now = self._clock()
        complain_at = began + COMPLAIN_SECONDS
        while not done():
            if verdict := self._exchange.verdict(index):
                if index is not None:
                    self._exchange.forgive(index)
                raise verdict
            if now - began >= self.timeout:
                raise self._exchange.expired(index, now - began)
            if now >= complain_at:
                complain_at = now + COMPLAIN_SECONDS
                _log.warning("waiting for %.0f s: %s", now - began, self._exchange.situation(index))
            self._turn(min(TICK_SECONDS, began + self.timeout - now, complain_at - now))
            now = self._clock()
        return now - began

    def _settle(self) -> None:
        """Wait a little for the other workers, else the first to answer is asked for what is theirs to render."""
        until = self._clock() + SETTLE_SECONDS
        while self._exchange.peers.undecided and self._clock() < until:
            self._turn(TICK_SECONDS)

    def _turn(self, seconds: float) -> None:
        """Listen, and see to what came; once nothing comes, to what is late."""
        self._exchange.pause(self._clock() - self._listened_until)
        events = self._transport.poll(seconds)
        now = self._listened_until = self._clock()
        for event in events:
            self._send(self._exchange.handle(event, now))
        if not events or now - self._ticked >= LONGEST_TICK_SECONDS:
            self._ticked = now
            self._discover(now)
            self._send(self._exchange.tick(now))

    def _discover(self, now: float) -> None:
        """Connect to workers that were found, and let go of those that are no more."""
        found = self._discovery.find(now)
        changes = roster_changes(found, self._transport.workers, self._exchange.peers.connected)
        self._exchange.peers.search = self._discovery.situation()
        for worker in sorted(changes.add):
            logs.event(_log, "worker found", worker=worker)
            self._exchange.add(worker)
            self._transport.add(worker)
        for worker in sorted(changes.remove):
            logs.event(_log, "worker no more", worker=worker)
            self._transport.send(worker, Bye(reason="not found among the workers any more"))
            self._transport.remove(worker)
            self._send(self._exchange.remove(worker, now))

    def _send(self, outbox: Outbox) -> None:
        for worker, message in outbox:
            self._transport.send(worker, message)
