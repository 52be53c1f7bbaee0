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
BODY = BLOCK.theta.tobytes() + BLOCK.audio.tobytes()


def assembled(messages: list[bytes]) -> PairBlock:
    """The block that is complete with the last of these messages, and not before."""
    assembler = Assembler(max_block_bytes=1 << 20)
    found: list[Message | None] = [assembler.add(message) for message in messages]
    assert found[:-1] == [None] * (len(found) - 1)
    assert isinstance(found[-1], PairBlock)
    return found[-1]


def test_a_block_is_its_header_and_one_body_whose_memory_is_used_as_it_is():
    header, body = pieces(encode(BLOCK))
    assert body == BODY
    block = assembled([header, body])
    assert block.sha256() == BLOCK.sha256()
    assert np.shares_memory(block.audio, np.frombuffer(body, np.uint8))


def test_a_large_body_goes_in_slices(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grpc_wire, "WHOLE_BYTES", len(BODY) - 1)
    monkeypatch.setattr(grpc_wire, "SLICE_BYTES", 20)
    header, *slices = pieces(encode(BLOCK))
    assert max(map(len, slices)) == 20
    assert b"".join(slices) == BODY
    assert assembled([header, *slices]).sha256() == BLOCK.sha256()


@given(st.lists(st.integers(0, len(BODY))))
def test_a_body_may_be_cut_anywhere(cuts: list[int]):
    ends = sorted({*cuts, len(BODY)})
    cut = [BODY[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]
    header, _ = pieces(encode(BLOCK))
    assert assembled([header, *cut]).sha256() == BLOCK.sha256()


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
