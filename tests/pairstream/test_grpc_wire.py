"""Messages cut into gRPC messages, and put together again: whole, in slices, and however another worker cuts them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream import grpc_wire
from pairstream.block import PairBlock
from pairstream.codec import encode
from pairstream.errors import ProtocolError
from pairstream.grpc_wire import Assembler, pieces
from pairstream.header import pack
from pairstream.messages import Layout, Message

DIGEST = "ab" * 32
RANDOM = np.random.default_rng(0)
BLOCK = PairBlock(
    index=5,
    digest=DIGEST,
    theta=RANDOM.random((3, 2, 2), np.float32),
    audio=RANDOM.random((3, 2, 4), np.float32),
)
THETA, AUDIO = BLOCK.theta.tobytes(), BLOCK.audio.tobytes()


def assembled(messages: list[bytes]) -> PairBlock:
    """The block that is complete with the last of these messages, and not before."""
    assembler = Assembler(max_block_bytes=1 << 20)
    found: list[Message | None] = [assembler.add(message) for message in messages]
    assert found[:-1] == [None] * (len(found) - 1)
    assert isinstance(found[-1], PairBlock)
    return found[-1]


def test_a_block_is_two_messages_and_the_memory_of_its_audio_is_used_as_it_is():
    first, audio = pieces(encode(BLOCK))
    assert first.endswith(THETA)
    assert audio == AUDIO
    block = assembled([first, audio])
    assert block.sha256() == BLOCK.sha256()
    assert np.shares_memory(block.audio, np.frombuffer(audio, np.uint8))


def test_what_came_over_grpc_goes_on_over_grpc_without_a_copy():
    first, audio = pieces(encode(BLOCK))
    _, audio_again = pieces(encode(assembled([first, audio])))
    assert audio_again is audio


def test_a_large_array_goes_in_slices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grpc_wire, "WHOLE_BYTES", 40)
    monkeypatch.setattr(grpc_wire, "SLICE_BYTES", 20)
    header, *slices = pieces(encode(BLOCK))
    assert header == encode(BLOCK)[0]
    assert [len(piece) for piece in slices] == [20, 20, 8, 20, 20, 20, 20, 16]
    assert b"".join(slices) == THETA + AUDIO
    assert assembled([header, *slices]).sha256() == BLOCK.sha256()


@given(st.integers(0, len(THETA)), st.sets(st.integers(0, len(THETA + AUDIO))))
def test_an_array_may_be_cut_anywhere(behind_header: int, cuts: set[int]):
    ends = sorted({cut for cut in cuts if cut > behind_header} | {len(THETA), len(THETA + AUDIO)})
    cut = [(THETA + AUDIO)[begin:end] for begin, end in zip([behind_header, *ends], ends, strict=False)]
    header = bytes(encode(BLOCK)[0]) + THETA[:behind_header]
    assert assembled([header, *filter(None, cut)]).sha256() == BLOCK.sha256()


@pytest.mark.parametrize("message", [pack("bye", {"reason": ""}), pack("block", {})])
def test_nothing_else_may_be_behind_a_header(message: bytes):
    with pytest.raises(ProtocolError):
        Assembler(1 << 20).add(message + b"more")


def test_after_a_block_of_nothing_no_body_is_waited_for():
    nothing = pack(
        "block", {"digest": DIGEST, "index": 0} | asdict(Layout(pairs=1, parameters=0, samples=0, dtype="float32"))
    )
    block = assembled([nothing])
    assert block.audio.shape == (1, 2, 0)


def test_the_arrays_may_be_written_to_and_outlive_what_came():
    block = assembled(list(pieces(encode(BLOCK))))
    block.audio[...] *= 2
    assert np.array_equal(block.audio, 2 * BLOCK.audio)
    assert np.array_equal(block.theta, BLOCK.theta)
