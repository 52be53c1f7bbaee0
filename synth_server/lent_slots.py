"""The worker's end of shared memory: the slots that one client has lent, and the writing of blocks into them.

The client's `Slots` are the other end. Nothing here trusts it: a memory that could shrink under the
worker's hands is not mapped, and every slot is checked before it is written to.
"""

from __future__ import annotations

import fcntl
import mmap
import os
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ProtocolError
from pairstream.header import Frame
from pairstream.sharing import MAX_SLOTS, STAMP, STAMP_BYTES, Ask, refer
from synth_server.past_cache import copy_past_cache

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW if hasattr(fcntl, "F_SEAL_SHRINK") else 0


class LentSlots:
    """One client's memory, mapped.

    Args:
        fd: the file it handed over; closed by the caller.
        ask: what it said that it would hand over.

    Raises:
        ProtocolError: it is something else.
        OSError: it cannot be mapped.
    """

    def __init__(self, fd: int, ask: Ask) -> None:
        size = ask.slots * ask.slot_bytes
        try:
            seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
        except OSError as error:
            raise ProtocolError(f"what was handed over is no memory: {error}") from error
        if os.fstat(fd).st_size != size or seals & _SEALS != _SEALS:
            raise ProtocolError(f"a memory of {os.fstat(fd).st_size} bytes and seals {seals}, promised were {size}")
        self._ask = ask
        self._memory: NDArray[np.uint8] = np.frombuffer(mmap.mmap(fd, size), np.uint8)
        self._lent: deque[tuple[int, int]] = deque()

    def lend(self, slots: Iterable[tuple[int, int]]) -> None:
        """These may be written to, each once.

        Raises:
            ProtocolError: there are no such slots, or not so many.
        """
        for slot, stamp in slots:
            if slot >= self._ask.slots or len(self._lent) >= MAX_SLOTS:
                raise ProtocolError(
                    f"slot {slot} was lent, there are {self._ask.slots}, and {len(self._lent)} are lent"
                )
            self._lent.append((slot, stamp))

    def write(self, arrays: Sequence[Frame]) -> bytes | None:
        """Copy theta and audio into a slot; the reference to it, or None if there is no slot for them."""
        lengths = [len(array) for array in arrays]
        if not self._lent or STAMP_BYTES + sum(lengths) > self._ask.slot_bytes:
            return None
        slot, stamp = self._lent.popleft()
        begin = slot * self._ask.slot_bytes
        at = begin + STAMP_BYTES
        for array, length in zip(arrays, lengths, strict=True):
            copy_past_cache(self._memory[at : at + length], np.frombuffer(array, np.uint8))
            at += length
        STAMP.pack_into(self._memory.data, begin, stamp, *lengths)
        return refer(slot, stamp)
