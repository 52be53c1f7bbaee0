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

from pairstream.block import PairBlock
from pairstream.errors import ConfigError
from pairstream.exchange import Exchange, Outbox
from pairstream.messages import Bye, Layout
from pairstream.spec import StreamSpec
from pairstream.transport import Transport

_log = logging.getLogger(__name__)

#: Seconds between checks for what is overdue, and between log lines about a wait.
TICK_SECONDS, COMPLAIN_SECONDS = 1.0, 5.0
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if timeout <= 0:
            raise ConfigError(f"timeout={timeout!r} seconds; use more than 0")
        self.spec = spec
        self.timeout = timeout
        self.credit = min(MAX_CREDIT_BLOCKS, max(1, credit_bytes // spec.audio_bytes))
        self._transport = transport
        self._exchange = Exchange(spec, experiment, transport.workers, timeout / 4, fingerprint)
        self._clock = clock
        self._ticked = clock()
        try:
            self._wait(None, self._exchange.opened)
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

    def fetch(self, index: int) -> PairBlock:
        """Block `index`.

        Raises:
            StreamTimeoutError, WorkerUnavailableError: it did not come within the time-out.
            RenderError, RefusedError: nobody can give it.
        """
        return next(self.follow([index]))

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[PairBlock]:
        """Blocks `start`, `start` + 1, … in order, each exactly once, up to but without `stop`."""
        return self.follow(count(start) if stop is None else range(start, stop))

    def follow(self, indices: Iterable[int]) -> Iterator[PairBlock]:
        """The blocks of these indices, in their order; `credit` of them are asked for ahead."""
        upcoming = iter(indices)
        ahead = deque(islice(upcoming, self.credit))
        while ahead:
            self._send(self._exchange.want(ahead, self._clock()))
            index = ahead.popleft()
            self._wait(index, partial(self._exchange.has, index))
            block = self._exchange.take(index)
            ahead.extend(islice(upcoming, 1))
            self._send(self._exchange.want(ahead, self._clock()))
            yield block

    def close(self) -> None:
        """Say good-bye and release the connections; idempotent."""
        for worker in self._transport.workers:
            self._transport.send(worker, Bye(reason="done"))
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _wait(self, index: int | None, done: Callable[[], bool]) -> None:
        """Move events until `done`; raise once there is nothing to hope for or the time is up."""
        began = self._clock()
        complain_at = began + COMPLAIN_SECONDS
        while not done():
            if verdict := self._exchange.verdict(index):
                raise verdict
            now = self._clock()
            if now - began >= self.timeout:
                raise self._exchange.expired(index, now - began)
            if now >= complain_at:
                complain_at = now + COMPLAIN_SECONDS
                _log.warning("waiting for %.0f s: %s", now - began, self._exchange.situation(index))
            self._turn(min(TICK_SECONDS, began + self.timeout - now, complain_at - now))

    def _turn(self, seconds: float) -> None:
        for event in self._transport.poll(seconds):
            self._send(self._exchange.handle(event, self._clock()))
        if (now := self._clock()) - self._ticked >= TICK_SECONDS:
            self._ticked = now
            self._send(self._exchange.tick(now))

    def _send(self, outbox: Outbox) -> None:
        for worker, message in outbox:
            self._transport.send(worker, message)
