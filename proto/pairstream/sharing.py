"""How a client and a worker on one host agree to pass blocks through memory that both have mapped.

    client                                          worker
    Ask(slots, slot_bytes)                  ->
                                            <-      Meet(place, token)   |  Apart(reason)
    [token, memfd] over the Unix socket     ->      maps it
                                            <-      Shared()             |  Apart(reason)
    Lend([(slot, stamp), …])                ->      may fill these, each once
                                            <-      [a block's header, reference to a slot]

The memory is the client's: made nameless, sealed against shrinking, handed over as an open file, and gone
when both ends are, however they end. Only processes that can reach the same abstract Unix socket come
together, so a worker elsewhere, in another container for instance, is never mistaken for one that shares.

These messages travel beside those of `messages.py` over ZeroMQ, in two frames: `PREFIX`, which is no header
of a message, and their own. The memory itself is `slots.py` (client) and the worker's `lent_slots.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from pairstream.header import Frame, pack, read, sequence, text, unpack, whole

PREFIX: Final = b"shm"
#: The most slots of one memory, and the most bytes of all of them; pages are taken only once they are used.
MAX_SLOTS, MAX_BYTES = 128, 1 << 36
#: A slot begins with what its worker wrote there last: the stamp it was lent with, bytes of theta, bytes of audio.
STAMP = struct.Struct("<QQQ")
#: Bytes from a slot's begin to its theta, and what a slot's length is a multiple of.
STAMP_BYTES, PAGE_BYTES = 64, 4_096
#: What follows a block's header instead of its arrays: the slot, and the stamp with which it was lent.
REFERENCE = struct.Struct("<QQ")


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Client: I could lend `slots` pieces of memory of `slot_bytes` each."""

    slots: int
    slot_bytes: int


@dataclass(frozen=True, kw_only=True)
class Meet:
    """Worker: bring it to the abstract Unix socket of this name, and say the token."""

    place: str
    token: bytes


@dataclass(frozen=True, kw_only=True)
class Shared:
    """Worker: I have mapped it."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """Worker: we shall not share, and why."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Lend:
    """Client: these slots are free; each has a stamp that no slot of this client ever had."""

    slots: tuple[tuple[int, int], ...]


SharingMessage = Ask | Meet | Shared | Apart | Lend


def slot_bytes(theta_bytes: int, audio_bytes: int) -> int:
    """The length of a slot that holds such arrays."""
    return -(-(STAMP_BYTES + theta_bytes + audio_bytes) // PAGE_BYTES) * PAGE_BYTES


def encode(message: SharingMessage) -> list[Frame]:
    """The frames of a message."""
    return [PREFIX, pack(type(message).__name__.lower(), asdict(message))]


def is_sharing(frames: Sequence[Frame]) -> bool:
    """Whether these are the frames of such a message."""
    return len(frames) == 2 and frames[0] == PREFIX


def decode(frames: Sequence[Frame]) -> SharingMessage:
    """The message that `encode` made these frames of.

    Raises:
        ProtocolError: it is none.
    """
    name, fields = unpack(frames[1])
    return read(name, _READERS, fields)


def refer(slot: int, stamp: int) -> bytes:
    """The frame that stands for the arrays in a slot."""
    return REFERENCE.pack(slot, stamp)


def is_reference(frames: Sequence[Frame]) -> bool:
    """Whether these are a block's header and what stands for its arrays."""
    return len(frames) == 2 and len(frames[1]) == REFERENCE.size and not is_sharing(frames)


def referred(frame: Frame) -> tuple[int, int]:
    """The slot and the stamp that `refer` was given."""
    slot, stamp = REFERENCE.unpack(frame)
    return slot, stamp


def _ask(fields: dict[str, Any]) -> SharingMessage:
    ask = Ask(slots=whole(fields["slots"], MAX_SLOTS + 1), slot_bytes=whole(fields["slot_bytes"], MAX_BYTES))
    if not ask.slots or ask.slots * ask.slot_bytes > MAX_BYTES or ask.slot_bytes % PAGE_BYTES:
        raise ValueError(f"{ask.slots} slots of {ask.slot_bytes} bytes")
    return ask


def _meet(fields: dict[str, Any]) -> SharingMessage:
    token = fields["token"]
    if not isinstance(token, bytes) or len(token) != 16:
        raise TypeError("not a token of 16 bytes")
    return Meet(place=text(fields["place"], 64), token=token)


def _lend(fields: dict[str, Any]) -> SharingMessage:
    pairs = [sequence(pair, 2) for pair in sequence(fields["slots"], MAX_SLOTS)]
    return Lend(slots=tuple((whole(slot, MAX_SLOTS), whole(stamp)) for slot, stamp in pairs))


_READERS: dict[str, Callable[[dict[str, Any]], SharingMessage]] = {
    "ask": _ask,
    "meet": _meet,
    "shared": lambda _: Shared(),
    "apart": lambda fields: Apart(reason=text(fields["reason"])),
    "lend": _lend,
}
