"""Messages to frames and back: golden bytes, no copies, and nothing but ProtocolError for alien input."""

from __future__ import annotations

import contextlib
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairstream.block import PairBlock
from pairstream.codec import MAX_INDICES, decode, encode
from pairstream.errors import ProtocolError
from pairstream.header import MAX_HEADER_BYTES
from pairstream.messages import Busy, Bye, Failed, Layout, Message, Open, Opened, Refused, Want
from pairstream.spec import StreamSpec

DIGEST = "ab" * 32
LAYOUT = Layout(pairs=2, parameters=3, samples=4, dtype="float32")
MESSAGES: list[Message] = [
    Open(spec=StreamSpec().as_dict(), experiment="first"),
    Opened(digest=DIGEST, layout=LAYOUT, fingerprint="toy 1"),
    Opened(digest=DIGEST, layout=LAYOUT, fingerprint="toy 1", capacity=1_500, head=2**40 - 1),
    Refused(digest="", reason="no"),
    Want(digest=DIGEST, indices=(0, 7, 2**62), experiment="first"),
    Failed(digest=DIGEST, index=3, reason="broken"),
    Busy(digest=DIGEST, indices=(3, 4), retry_seconds=0.5, reason="9 experiments wait"),
    Bye(reason="done"),
]


def block(dtype: str = "float32") -> PairBlock:
    theta = np.arange(12, dtype=np.float32).reshape(2, 2, 3) / 12
    audio = (np.arange(16).reshape(2, 2, 4) / 16).astype(dtype)
    return PairBlock(index=5, digest=DIGEST, theta=theta, audio=audio)


def header(**fields: Any) -> bytes:
    packed: bytes = msgpack.packb({"v": 1} | fields)
    return packed


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_comes_back_as_it_was(message: Message):
    assert decode(encode(message)) == message


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_a_block_comes_back_bit_for_bit_and_uncopied(dtype: str):
    sent = block(dtype)
    frames = encode(sent)
    received = decode(frames)
    assert isinstance(received, PairBlock)
    assert received.sha256() == sent.sha256()
    assert np.shares_memory(np.frombuffer(frames[2], np.uint8), sent.audio)
    assert np.shares_memory(received.audio, sent.audio)


def test_the_bytes_on_the_wire_are_these():
    """Written out by hand: what a client in another language must send and will receive."""
    assert encode(Want(digest=DIGEST, indices=(0, 300), experiment="x")) == [
        b"\x85\xa1v\x01\xa1t\xa4want\xa6digest\xd9\x40" + b"ab" * 32 + b"\xa7indices\x92\x00\xcd\x01\x2c"
        b"\xaaexperiment\xa1x"
    ]
    assert encode(Opened(digest=DIGEST, layout=LAYOUT, fingerprint="f", capacity=1_500, head=None)) == [
        b"\x87\xa1v\x01\xa1t\xa6opened\xa6digest\xd9\x40" + b"ab" * 32 + b"\xa6layout\x84\xa5pairs\x02"
        b"\xaaparameters\x03\xa7samples\x04\xa5dtype\xa7float32\xabfingerprint\xa1f\xa8capacity\xcd\x05\xdc\xa4head\xc0"
    ]
    assert encode(Busy(digest=DIGEST, indices=(3,), retry_seconds=0.5, reason="r")) == [
        b"\x86\xa1v\x01\xa1t\xa4busy\xa6digest\xd9\x40" + b"ab" * 32 + b"\xa7indices\x91\x03"
        b"\xadretry_seconds\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00\xa6reason\xa1r"
    ]
    frames = [bytes(frame) for frame in encode(block())]
    assert frames[0] == (
        b"\x88\xa1v\x01\xa1t\xa5block\xa6digest\xd9\x40" + b"ab" * 32 + b"\xa5index\x05\xa5pairs\x02"
        b"\xaaparameters\x03\xa7samples\x04\xa5dtype\xa7float32"
    )
    assert frames[1][4:8] == b"\xab\xaa\xaa\x3d"  # 1/12 as a little-endian float32
    assert (len(frames[1]), len(frames[2])) == (48, 64)


@pytest.mark.parametrize(
    ("frames", "says"),
    [
        ([], "0 bytes"),
        ([b""], "0 bytes"),
        ([b"\xc1"], "not msgpack"),
        ([b"GET / HTTP/1.1\r\n"], "not"),
        ([msgpack.packb([1, 2])], "not a map"),
        ([b"\x81" * 5_000], "not msgpack"),
        ([b"x" * (MAX_HEADER_BYTES + 1)], "header has 65537 bytes"),
        ([msgpack.packb({"v": 2, "t": "bye"})], "version 2"),
        ([header(t="hello")], "'hello'"),
        ([header(t=["bye"])], "unknown kind"),
        ([header(t="bye")], "reason"),
        ([header(t="bye", reason=7)], "bye"),
        ([header(t="bye", reason="x"), b"more"], "2 frames"),
        ([header(t="open", spec=7, experiment="x")], "open"),
        ([header(t="open", spec={}, experiment="x" * 200)], "open"),
        ([header(t="want", digest="AB", indices=[1], experiment="x")], "digest"),
        ([header(t="want", digest=DIGEST, indices=[-1], experiment="x")], "-1"),
        ([header(t="want", digest=DIGEST, indices=[True], experiment="x")], "True"),
        ([header(t="want", digest=DIGEST, indices=[0] * (MAX_INDICES + 1), experiment="x")], str(MAX_INDICES)),
        ([header(t="busy", digest=DIGEST, indices=[1], retry_seconds=float("nan"), reason="x")], "nan"),
        ([header(t="busy", digest=DIGEST, indices=[1], retry_seconds=1e9, reason="x")], "3600 seconds"),
        (encode(block())[:2], "2 frames"),
        ([encode(block())[0], b"short", encode(block())[2]], "5 bytes of theta, its header says 48"),
        ([*encode(block())[:2], b"x" * 63], "63 bytes of audio"),
    ],
)
def test_what_is_not_a_message_is_one_clear_error(frames: list[bytes], says: str):
    with pytest.raises(ProtocolError, match=says):
        decode(frames)


def test_a_header_that_promises_the_world_allocates_nothing():
    promise = header(t="block", digest=DIGEST, index=0, pairs=2**30, parameters=2**30, samples=2**30, dtype="float32")
    with pytest.raises(ProtocolError, match="header says"):
        decode([promise, b"", b""])


@given(st.lists(st.binary(max_size=200), max_size=4))
def test_noise_never_does_worse_than_a_protocol_error(frames: list[bytes]):
    with contextlib.suppress(ProtocolError):
        decode(frames)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["open", "opened", "refused", "want", "failed", "busy", "bye", "block"]),
    st.dictionaries(
        st.sampled_from(["spec", "experiment", "digest", "layout", "indices", "index", "reason", "pairs", "dtype"]),
        json_like | st.just(DIGEST),
    ),
)
def test_wrong_fields_never_do_worse_than_a_protocol_error(kind: str, fields: dict[str, Any]):
    frames = [header(t=kind, **fields)] + [b"", b""] * (kind == "block")
    with contextlib.suppress(ProtocolError):
        decode(frames)


@given(st.data())
def test_a_damaged_block_is_refused_or_still_a_block(data: st.DataObject):
    frames = [bytearray(frame) for frame in encode(block())]
    victim = frames[data.draw(st.integers(0, 2))]
    position = data.draw(st.integers(0, len(victim) - 1))
    if data.draw(st.booleans()):
        victim[position] = data.draw(st.integers(0, 255))
    else:
        del victim[position:]
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode([bytes(frame) for frame in frames]), PairBlock)


@pytest.mark.parametrize(
    ("theta", "audio"),
    [
        (np.zeros((2, 2, 3), np.float64), np.zeros((2, 2, 4), np.float32)),
        (np.zeros((2, 2, 3), np.float32), np.zeros((2, 2, 4), np.int16)),
        (np.zeros((2, 3, 3), np.float32), np.zeros((2, 3, 4), np.float32)),
        (np.zeros((2, 2, 3), np.float32), np.zeros((3, 2, 4), np.float32)),
        (np.zeros((2, 2, 3), np.float32), np.zeros((4, 2, 2), np.float32).T),
        (np.zeros((2, 2), np.float32), np.zeros((2, 2, 4), np.float32)),
    ],
)
def test_a_block_of_another_shape_type_or_order_cannot_be_made(theta: Any, audio: Any):
    with pytest.raises(ProtocolError):
        PairBlock(index=0, digest=DIGEST, theta=theta, audio=audio)
