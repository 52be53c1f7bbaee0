"""Whatever the bytes, they are read or are a `ProtocolError`; what they only announce takes no memory."""

from __future__ import annotations

import tracemalloc
from itertools import count

import pytest
from garbage import BOMBS, MESSAGES, garbage
from hypothesis import given
from hypothesis import strategies as st

from pairstream import sharing
from pairstream.codec import body_bytes, decode, encode
from pairstream.errors import ProtocolError
from pairstream.grpc_wire import Assembler, pieces
from pairstream.messages import Layout
from pairstream.sharer import Sharer

#: What reading one message of at most 64 KiB may take, in bytes: msgpack makes objects of what was one byte each.
PEAK = 16 << 20
#: Characters of what was said of a message.
LONGEST = [0]


def read_all(frames: list[bytes]) -> None:
    """Everything that reads a message, at either end."""
    for reader in (decode, lambda frames: body_bytes(frames[0]), sharing.decode):
        try:
            reader(frames if reader is not sharing.decode or sharing.is_sharing(frames) else [b"", frames[0]])
        except ProtocolError as error:
            LONGEST.append(len(str(error)))


def assemble(messages: list[bytes]) -> None:
    assembler = Assembler(max_block_bytes=1 << 20)
    for piece in messages:
        try:
            assembler.add(piece)
        except ProtocolError as error:
            LONGEST.append(len(str(error)))


@pytest.mark.slow
def test_mutations_of_true_messages():
    tracemalloc.start()
    try:
        for frames in garbage(2_000, seed=1):
            read_all(frames)
            assemble(list(pieces(frames)))
        assert tracemalloc.get_traced_memory()[1] < PEAK
        assert max(LONGEST) < 1_000  # it is logged, and sent back
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_what_is_only_announced_takes_no_memory(bomb: bytes):
    tracemalloc.start()
    try:
        read_all([bomb])
        assemble([bomb])
        assert tracemalloc.get_traced_memory()[1] < PEAK
    finally:
        tracemalloc.stop()


@given(st.lists(st.binary(max_size=400), min_size=1, max_size=4))
def test_any_bytes(frames: list[bytes]):
    read_all(frames)
    assemble(frames)


@given(st.data())
def test_what_is_read_of_changed_bytes_can_be_written_and_read_again(data: st.DataObject):
    frames = list(data.draw(st.sampled_from(MESSAGES)))
    at = data.draw(st.integers(0, len(frames[0]) - 1))
    frames[0] = frames[0][:at] + data.draw(st.binary(min_size=1, max_size=9)) + frames[0][at + 1 :]
    try:
        message = decode(frames)
    except ProtocolError:
        return
    again = [bytes(frame) for frame in encode(message)]
    assert [bytes(frame) for frame in encode(decode(again))] == again


def test_a_client_that_shares_memory_takes_no_harm_by_what_a_worker_says_of_it():
    sharer = Sharer("zmq://a:1", count(1))
    assert sharer.ask(Layout(pairs=4, parameters=5, samples=32, dtype="float32"))
    sharer.lend([0, 1, 2])
    try:
        for frames in garbage(2_000, seed=2):
            try:
                if sharing.is_sharing(frames):
                    sharer.hear(sharing.decode(frames))
                elif sharing.is_reference(frames):
                    sharer.open(frames)
            except ProtocolError:
                continue
        for slot, stamp in ((0, 99), (127, 1), (1 << 63, 1 << 63), (1, 98)):
            with pytest.raises(ProtocolError):
                sharer.open([b"", sharing.refer(slot, stamp)])
    finally:
        sharer.close()
