"""The sources that a worker has open, at most a few: engines are costly to make and to keep."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from pairstream.block import PairBlock
from pairstream.errors import RefusedError
from pairstream.source import OpenSource, Source
from pairstream.spec import StreamSpec
from synth_server.limits import Limits
from synth_server.pace import Pace

#: So many blocks a source is told of ahead.
LOOK_AHEAD = 64


@runtime_checkable
class Forewarned(Protocol):
    """A source for which it pays to know what will be wanted next: one that fetches."""

    def expect(self, indices: Sequence[int]) -> None:
        """These are wanted now or soon, the most urgent first."""


def _unknown(digest: str, count: int) -> Sequence[int]:
    """Nothing is known of what will be wanted."""
    return ()


class Sources:
    """Opens, keeps and closes the sources of streams; used by the rendering thread alone.

    Args:
        open_source: makes the source of a stream.
        limits: what a spec may ask for.
        keep: how many sources stay open; the one unused for longest is closed first.
        remember: how many specs can be opened again without being told.
        upcoming: which blocks of a stream are wanted next, at most so many.
        pace: told how long each block took.
        clock: seconds that never run backwards.
    """

    def __init__(
        self,
        open_source: OpenSource,
        limits: Limits,
        *,
        keep: int = 4,
        remember: int = 1_024,
        upcoming: Callable[[str, int], Sequence[int]] = _unknown,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._open_source = open_source
        self._limits = limits
        self._keep = keep
        self._remember = remember
        self._upcoming = upcoming
        self._pace = pace or Pace()
        self._clock = clock
        self._open: OrderedDict[str, Source] = OrderedDict()
        self._specs: OrderedDict[str, StreamSpec] = OrderedDict()

    def open(self, spec: StreamSpec) -> Source:
        """The source of this stream.

        Raises:
            RefusedError: the spec exceeds the limits, or there is no such synth or engine here.
        """
        self._limits.check(spec)
        source = self._open.pop(spec.digest, None) or self._open_source(spec)
        self._open[spec.digest] = source
        self._specs[spec.digest] = spec
        self._specs.move_to_end(spec.digest)
        while len(self._open) > self._keep:
            self._open.popitem(last=False)[1].close()
        while len(self._specs) > self._remember:
            self._specs.popitem(last=False)
        return source

    def knows(self, spec: StreamSpec) -> bool:
        """Whether this stream was opened before, and not too long ago."""
        return spec.digest in self._specs

    def render(self, digest: str, index: int) -> PairBlock:
        """A block of a stream that was opened before.

        Raises:
            RefusedError: it never was, or too long ago.
        """
        spec = self._specs.get(digest)
        if spec is None:
            raise RefusedError(f"stream {digest[:12]} is not open here; send OPEN first")
        began = self._clock()
        source = self.open(spec)
        if isinstance(source, Forewarned):
            upcoming = self._upcoming(digest, LOOK_AHEAD)
            done = upcoming.index(index) + 1 if index in upcoming else 0  # they are begun in this order
            source.expect(upcoming[done:])
        block = source.render(index)
        self._pace.note(self._clock() - began)
        return block

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            self._open.popitem()[1].close()
