"""Pairs, one at a time, from whoever serves the stream. Only looking: it never changes what a trainer sees.

A pair's number counts through the whole stream, whatever the size of its blocks (`draws.py`). So pair 12 of block 4711
is also block 4711 * 128 + 12 of the stream that differs in `block_pairs` alone. That is what is asked for: it costs one
pair instead of 128, and it leaves the head of the stream itself where its trainers are, so that none that follows it
live jumps to where somebody listens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pairstream import Client, PairBlock
from pairstream.errors import ConfigError, PairstreamError, StreamTimeoutError
from pairstream.spec import StreamSpec
from synth_server.limits import MIB, Limits
from synth_server.listen.clients import Clients
from synth_server.listen.recent import Recent

Result = TypeVar("Result")

#: Pairs are numbered up to here, so that every number is exact in JavaScript as well.
END = 1 << 53
#: What one visitor may ask for: a pair, and for its JSON a block.
PAIR_LIMITS, BLOCK_LIMITS = Limits(block_bytes=32 * MIB), Limits(block_bytes=128 * MIB)


class BusyError(PairstreamError):
    """As many pairs as are allowed are being fetched, and none was done in time."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """Pair `pair` of block `index`: theta (2, L * P) in [0, 1] and audio (2, T) in [-1, 1]."""

    spec: StreamSpec
    index: int
    pair: int
    theta: NDArray[np.float32]
    audio: NDArray[Any]

    @property
    def nbytes(self) -> int:
        """Bytes of both arrays."""
        return self.theta.nbytes + self.audio.nbytes


class Pairs:
    """Fetches pairs; any thread may ask.

    Args:
        clients: the connections; closed with this.
        timeout: the longest that anybody waits, in seconds.
        at_once: how many pairs are fetched at the same time.
        cache_bytes: of pairs that are kept.
    """

    def __init__(self, clients: Clients, *, timeout: float, at_once: int, cache_bytes: int) -> None:
        self._clients = clients
        self._timeout = timeout
        self._turns, self._whole_blocks = BoundedSemaphore(at_once), BoundedSemaphore(1)
        self._recent: Recent[Pair] = Recent(cache_bytes)

    def pair(self, spec: StreamSpec, index: int, pair: int) -> Pair:
        """One pair.

        Raises:
            ConfigError: the stream has no such pair.
            RefusedError: it asks for more than is given to one visitor, or the worker refuses it.
            BusyError, StreamTimeoutError, WorkerUnavailableError, RenderError: it did not come.
        """
        alone = _alone(spec)
        number = _number(spec, index, pair)
        PAIR_LIMITS.check(alone)

        def fetch() -> Pair:
            where, place = divmod(number, alone.block_pairs)
            block = self._with_client(alone, lambda client: client.fetch(where))
            return Pair(spec=spec, index=index, pair=pair, theta=block.theta[place], audio=block.audio[place])

        try:
            return self._recent.get((spec, index, pair), fetch, self._timeout)
        except TimeoutError as error:
            if isinstance(error, PairstreamError):
                raise
            raise StreamTimeoutError(f"another visitor waits for the same pair for {self._timeout} s") from error

    def block(self, spec: StreamSpec, index: int) -> PairBlock:
        """The whole block, put together from its pairs; raises as `pair` does."""
        alone = _alone(spec)
        first, last = (_number(spec, index, pair) // alone.block_pairs for pair in (0, spec.block_pairs - 1))
        BLOCK_LIMITS.check(spec)
        with self._turn(self._whole_blocks):
            parts = self._with_client(alone, lambda client: self._in_time(client.blocks(first, last + 1)))
        begin = index * spec.block_pairs - first * alone.block_pairs
        chosen = slice(begin, begin + spec.block_pairs)
        theta = np.concatenate([part.theta for part in parts])[chosen]
        audio = np.concatenate([part.audio for part in parts])[chosen]
        return PairBlock(index=index, digest=spec.digest, theta=theta, audio=audio)

    def head(self, spec: StreamSpec) -> int | None:
        """The newest block that a trainer of this very stream was lately given, if any; raises as `pair` does."""
        PAIR_LIMITS.check(_alone(spec))
        with self._turn(self._turns):
            return self._clients.head(spec)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def _with_client(self, spec: StreamSpec, work: Callable[[Client], Result]) -> Result:
        with self._turn(self._turns):
            return self._clients.call(spec, work)

    def _in_time(self, blocks: Iterator[PairBlock]) -> list[PairBlock]:
        """All of them, in one time-out together."""
        until, taken = time.monotonic() + self._timeout, []
        for block in blocks:
            taken.append(block)
            if time.monotonic() > until:
                raise StreamTimeoutError(
                    f"of a whole block, {len(taken)} pairs came within {self._timeout} s; try again"
                )
        return taken

    @contextmanager
    def _turn(self, turns: BoundedSemaphore) -> Iterator[None]:
        if not turns.acquire(timeout=self._timeout):
            raise BusyError(
                f"too many pairs are asked for at once, and none was done within {self._timeout} s; try again"
            )
        try:
            yield
        finally:
            turns.release()


def _alone(spec: StreamSpec) -> StreamSpec:
    """The stream of the same pairs, in the smallest blocks that are not `spec`'s own."""
    return replace(spec, block_pairs=2 if spec.block_pairs == 1 else 1)


def _number(spec: StreamSpec, index: int, pair: int) -> int:
    """The pair's number in the stream."""
    if not 0 <= pair < spec.block_pairs:
        raise ConfigError(f"pair={pair}; a block of this stream has the pairs 0 to {spec.block_pairs - 1}")
    number = index * spec.block_pairs + pair
    if not 0 <= number < END:
        raise ConfigError(
            f"index={index}; the page shows the blocks 0 to {END // spec.block_pairs - 1:,} of this stream"
        )
    return number
