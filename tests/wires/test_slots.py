"""Shared memory without any socket: in whatever order slots are lent, filled, read and let go, no array is torn."""

from __future__ import annotations

import itertools
import os
import socket

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pairstream.errors import ProtocolError
from pairstream.lifeline import hand_over, listen, take_over
from pairstream.messages import Busy, Layout
from pairstream.sharer import Sharer
from pairstream.sharing import PAGE_BYTES, Ask, Lend, Meet, Shared, decode, encode, referred
from pairstream.slots import Slots
from synth_server.lent_slots import LentSlots

SLOTS = 4


def pair(slots: int = SLOTS) -> tuple[Slots, LentSlots]:
    ours = Slots(slots, PAGE_BYTES, itertools.count(1))
    theirs = LentSlots(ours.fd, Ask(slots=slots, slot_bytes=PAGE_BYTES))
    ours.close()
    return ours, theirs


class Sharing(RuleBasedStateMachine):
    """Blocks are numbers; each is written all over its slot, so that a torn or stale one would show."""

    def __init__(self) -> None:
        super().__init__()
        self.ours, self.theirs = pair()
        self.announced: list[tuple[int, bytes]] = []
        self.kept: list[tuple[int, np.ndarray]] = []
        self.number = 0

    @rule(count=st.integers(0, SLOTS + 1))
    def lend(self, count: int) -> None:
        slots = self.ours.lend(count)
        assert len(slots) <= SLOTS - len(self.kept) - len(self.announced)
        self.theirs.lend(slots)

    @rule(length=st.integers(1, PAGE_BYTES - 64 - 8))
    def fill(self, length: int) -> None:
        self.number = self.number % 250 + 1
        lent = self.ours.lent - len(self.announced)
        reference = self.theirs.write([bytes([self.number]) * 8, bytes([self.number]) * length])
        assert (reference is not None) == (lent > 0)
        if reference:
            self.announced.append((self.number, reference))

    @precondition(lambda self: self.announced)
    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        number, reference = self.announced.pop(data.draw(st.integers(0, len(self.announced) - 1)))
        theta, audio = self.ours.open(*referred(reference))
        assert bytes(theta) == bytes([number]) * 8
        self.kept.append((number, np.frombuffer(audio, np.uint8)))
        with pytest.raises(ProtocolError, match="not lent"):
            self.ours.open(*referred(reference))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        self.kept.pop(data.draw(st.integers(0, len(self.kept) - 1)))

    @invariant()
    def what_is_kept_stays_as_it_was(self) -> None:
        for number, audio in self.kept:
            assert (audio == number).all()


TestSharing = Sharing.TestCase


def test_a_reference_to_what_was_not_lent_or_not_filled_is_refused():
    ours, _ = pair()
    ((slot, stamp),) = ours.lend(1)
    for wrong in ((slot, stamp + 1), (slot + 1, stamp), (2**40, stamp)):
        with pytest.raises(ProtocolError, match="not lent"):
            ours.open(*wrong)
    with pytest.raises(ProtocolError, match="was announced"):
        ours.open(slot, stamp)


def test_a_block_that_is_too_large_for_a_slot_goes_another_way():
    ours, theirs = pair()
    theirs.lend(ours.lend(1))
    assert theirs.write([b"", bytes(PAGE_BYTES)]) is None
    assert theirs.write([b"", b"x"]) is not None


def test_more_slots_than_there_are_cannot_be_lent():
    _, theirs = pair()
    with pytest.raises(ProtocolError, match="there are 4"):
        theirs.lend([(4, 1)])


@pytest.mark.parametrize("size", [PAGE_BYTES, 3 * PAGE_BYTES])
def test_a_memory_that_could_shrink_or_is_of_another_size_is_not_mapped(size: int):
    fd = os.memfd_create("unsealed", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    with pytest.raises(ProtocolError, match="promised were 4096"):
        LentSlots(fd, Ask(slots=1, slot_bytes=PAGE_BYTES))
    os.close(fd)


def test_what_is_no_memory_is_not_mapped():
    read, write = os.pipe()
    with pytest.raises(ProtocolError, match="no memory"):
        LentSlots(read, Ask(slots=1, slot_bytes=PAGE_BYTES))
    os.close(read)
    os.close(write)


def test_memory_is_handed_over_only_where_its_place_can_be_reached():
    with listen("a test") as listener:
        read, write = os.pipe()
        with hand_over("a test", b"token", write) as line:
            there, _ = listener.accept()
            token, fd = take_over(there)
            os.write(fd, b"through")
            assert (token, os.read(read, 10)) == (b"token", b"through")
            os.close(fd)
            line.close()
            assert take_over(there) == (b"", -1)
            there.close()
        for end in (read, write):
            os.close(end)
    with pytest.raises(OSError, match="refused"):
        hand_over("a test", b"token", 0)


def test_a_stranger_who_brings_nothing_or_too_much_is_turned_away():
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for fds in ([], [0, 1]):
        socket.send_fds(here, [b"token"], fds)
        with pytest.raises(OSError, match="not 1"):
            take_over(there)
    here.close()
    there.close()


def test_the_bytes_of_sharing_on_the_wire_are_these():
    """Written out by hand, for clients in another language; docs/protocol.md explains them."""
    token = bytes(range(16))
    assert encode(Ask(slots=2, slot_bytes=4_096)) == [
        b"shm",
        b"\x84\xa1v\x01\xa1t\xa3ask\xa5slots\x02\xaaslot_bytes\xcd\x10\x00",
    ]
    assert encode(Meet(place="ab", token=token)) == [
        b"shm",
        b"\x84\xa1v\x01\xa1t\xa4meet\xa5place\xa2ab\xa5token\xc4\x10" + token,
    ]
    assert encode(Lend(slots=((0, 1), (5, 300)))) == [
        b"shm",
        b"\x83\xa1v\x01\xa1t\xa4lend\xa5slots\x92\x92\x00\x01\x92\x05\xcd\x01\x2c",
    ]
    ours, theirs = pair()
    theirs.lend(ours.lend(1))
    reference = theirs.write([b"theta---", b"audio"])
    assert reference == b"\x00" * 8 + b"\x01" + b"\x00" * 7
    assert bytes(ours._memory[:77]) == (
        b"\x01" + b"\x00" * 7 + b"\x08" + b"\x00" * 7 + b"\x05" + b"\x00" * 7 + b"\x00" * 40 + b"theta---audio"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"t": "ask", "slots": 0, "slot_bytes": 4_096},
        {"t": "ask", "slots": 129, "slot_bytes": 4_096},
        {"t": "ask", "slots": 128, "slot_bytes": 1 << 35},
        {"t": "ask", "slots": 1, "slot_bytes": 100},
        {"t": "meet", "place": "x" * 65, "token": bytes(16)},
        {"t": "meet", "place": "x", "token": b"short"},
        {"t": "lend", "slots": [[0]]},
        {"t": "lend", "slots": [[-1, 0]]},
        {"t": "steal"},
    ],
)
def test_what_is_no_message_about_memory_is_one_clear_error(fields: dict[str, object]):
    import msgpack

    with pytest.raises(ProtocolError):
        decode([b"shm", msgpack.packb({"v": 1} | fields)])


def test_what_a_worker_sheds_needs_no_slot():
    sharer = Sharer("worker", itertools.count(1))
    assert sharer.ask(Layout(pairs=1, parameters=1, samples=1, dtype="float32"))
    with listen("a worker that sheds"):
        sharer.hear(Meet(place="a worker that sheds", token=b"token"))
        sharer.hear(Shared())
        lends = [sharer.lend([0])]
        for index in range(50):
            sharer.note(Busy(digest="", indices=(index,), retry_seconds=1.0, reason="full"))
            lends.append(sharer.lend([index + 1]))
        sharer.close()
    assert [len(lend.slots) for lend in lends if lend] == [1]
