"""The client's end of shared memory: nameless, cut into slots, lent to one worker slot by slot.

A slot is lent with a stamp of its own. The worker fills it, once, and refers to it; the block's arrays then
lie in the slot, uncopied, and the slot is not lent again before the last array that sees it is gone. A
consumer that keeps its blocks thus runs out of slots, and the worker sends further blocks as frames.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import mmap
import os
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ProtocolError
from pairstream.sharing import STAMP, STAMP_BYTES

#: madvise: take the pages now, and for our account. Linux 5.14; older ones take them as they are used.
_POPULATE_WRITE = 23


class Slots:
    """`count` slots of `slot_bytes` each, of which those once used take memory.

    Args:
        count: how many.
        slot_bytes: the length of each, a multiple of the page.
        stamps: numbers that no slot was ever lent with, rising.

    Raises:
        OSError: this system has no such memory, or none left.
    """

    def __init__(self, count: int, slot_bytes: int, stamps: Iterator[int]) -> None:
        if not hasattr(os, "memfd_create"):
            raise OSError("this system has no nameless memory (memfd)")
        self.count = count
        self.slot_bytes = slot_bytes
        self._stamps = stamps
        self.fd = os.memfd_create("pairstream", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.fd, count * slot_bytes)
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            self._map = mmap.mmap(self.fd, count * slot_bytes)
        except BaseException:
            self.close()
            raise
        self._memory: NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        self._lent: dict[int, int] = {}
        self._free = list(range(count))
        self._returned: deque[int] = deque()  # filled by whatever thread lets go of an array last
        self._used = 0

    def close(self) -> None:
        """Close the file; the memory goes when the arrays in it and the worker's map of it are gone. Idempotent."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def lend(self, at_most: int) -> tuple[tuple[int, int], ...]:
        """Free slots with their stamps, the lowest first, so that few pages are used and those stay warm."""
        while self._returned:
            heapq.heappush(self._free, self._returned.popleft())
        slots = [heapq.heappop(self._free) for _ in range(min(at_most, len(self._free)))]
        for slot in slots:
            self._take_pages(slot)
            self._lent[slot] = next(self._stamps)
        return tuple((slot, self._lent[slot]) for slot in slots)

    @property
    def lent(self) -> int:
        """How many slots the worker may fill now."""
        return len(self._lent)

    def open(self, slot: int, stamp: int) -> tuple[memoryview, memoryview]:
        """Theta and audio, as the worker left them in a slot that was lent to it.

        Raises:
            ProtocolError: it was not lent to it with this stamp, or does not hold what it should.
        """
        if self._lent.get(slot) != stamp:
            raise ProtocolError(f"a reference to slot {slot} with stamp {stamp}, which was not lent")
        begin = slot * self.slot_bytes
        written, theta, audio = STAMP.unpack_from(self._map, begin)
        end = begin + STAMP_BYTES + theta + audio
        if written != stamp or end > begin + self.slot_bytes:
            raise ProtocolError(f"slot {slot}: {theta} and {audio} bytes of stamp {written}; {stamp} was announced")
        del self._lent[slot]
        body = np.asarray(_Borrowed(self._memory[begin + STAMP_BYTES : end], lambda: self._returned.append(slot)))
        return body[:theta].data, body[theta:].data

    def _take_pages(self, slot: int) -> None:
        if slot >= self._used:
            self._used = slot + 1
            with contextlib.suppress(OSError):
                self._map.madvise(_POPULATE_WRITE, slot * self.slot_bytes, self.slot_bytes)


class _Borrowed:
    """A part of the memory; every array made of it keeps it, and `give_back` is called when the last one is gone."""

    def __init__(self, part: NDArray[np.uint8], give_back: Callable[[], None]) -> None:
        self.__array_interface__ = part.__array_interface__
        self._part = part
        self._give_back = give_back

    def __del__(self) -> None:
        self._give_back()
