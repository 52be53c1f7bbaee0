"""One connection's shared memory, the client's decisions: when to ask for it, what to lend, what to read from it.

The conversation is in `sharing.py`. It begins when the worker has opened the stream, since only then the
size of a block is known; that answer is kept from the client until the memory is shared, or is not to be.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator, Sequence

from pairstream.block import PairBlock
from pairstream.codec import array_bytes
from pairstream.errors import ProtocolError
from pairstream.header import Frame
from pairstream.lifeline import hand_over
from pairstream.messages import Busy, Failed, Layout, Message
from pairstream.sharing import (
    MAX_BYTES,
    MAX_SLOTS,
    Apart,
    Ask,
    Lend,
    Meet,
    Shared,
    SharingMessage,
    referred,
    slot_bytes,
)
from pairstream.slots import Slots

_log = logging.getLogger(__name__)


class Sharer:
    """Shares memory with one worker as long as one connection to it lasts.

    Args:
        worker: its name.
        stamps: numbers never used before; see `Slots`.

    Attributes:
        settled: nothing is to be waited for: the memory is shared, or will not be.
        reason: why it is not shared.
    """

    def __init__(self, worker: str, stamps: Iterator[int]) -> None:
        self.settled = False
        self.reason = "the worker did not answer"
        self._worker = worker
        self._stamps = stamps
        self._first = next(stamps)
        self._slots: Slots | None = None
        self._lifeline: socket.socket | None = None
        self._wanted: set[int] = set()

    def ask(self, layout: Layout) -> Ask | None:
        """What to say to the worker, if memory can be had at all."""
        length = slot_bytes(*array_bytes(layout))
        count = min(MAX_SLOTS, MAX_BYTES // length)
        try:
            self._slots = Slots(count, length, self._stamps)
        except (OSError, OverflowError, ValueError) as error:
            self.give_up(str(error))
            return None
        return Ask(slots=count, slot_bytes=length)

    def hear(self, message: SharingMessage) -> None:
        """The worker said something about it; too late, if we have given up meanwhile."""
        if self.settled:
            return
        if isinstance(message, Meet) and self._slots and not self._lifeline:
            try:
                self._lifeline = hand_over(message.place, message.token, self._slots.fd)
            except OSError as error:
                self.give_up(f"it cannot be met on this host: {error}")
        elif isinstance(message, Shared) and self._slots and self._lifeline:
            self._slots.close()
            self.settled, self.reason = True, ""
            _log.info(
                "%s fills memory of this process, %d slots of %d bytes",
                self._worker,
                self._slots.count,
                self._slots.slot_bytes,
            )
        elif isinstance(message, Apart):
            self.give_up(message.reason)
        else:
            raise ProtocolError(f"a {type(message).__name__} message out of turn")

    def lend(self, indices: Iterable[int]) -> Lend | None:
        """The slots to lend with a request for these blocks: one for each that is wanted."""
        if not self._slots or self.reason:
            return None
        self._wanted.update(indices)
        slots = self._slots.lend(max(0, len(self._wanted) - self._slots.lent))
        return Lend(slots=slots) if slots else None

    def note(self, message: Message) -> None:
        """Blocks that have come, or will not, need no slot any more."""
        if isinstance(message, PairBlock | Failed):
            self._wanted.discard(message.index)
        elif isinstance(message, Busy):
            self._wanted.difference_update(message.indices)

    def open(self, frames: Sequence[Frame]) -> Sequence[Frame] | None:
        """A block's frames, where it came as a reference; None if that is to memory of a former connection.

        Raises:
            ProtocolError: it refers to nothing that was lent.
        """
        slot, stamp = referred(frames[1])
        if stamp < self._first:
            return None
        if not self._slots:
            raise ProtocolError("a reference to shared memory, and none was lent")
        return [frames[0], *self._slots.open(slot, stamp)]

    def give_up(self, reason: str) -> None:
        """Not over this connection."""
        self.close()
        self.settled, self.reason = True, reason
        _log.debug("%s shares no memory with this process: %s", self._worker, reason)

    def close(self) -> None:
        """Lend nothing more; the worker sees the lifeline end and lets go. Idempotent."""
        if self._lifeline:
            self._lifeline.close()
        if self._slots:
            self._slots.close()
        self._lifeline = self._slots = None
