"""Messages as gRPC carries them: one method, both ways, raw bytes instead of protobuf around the audio.

Every message is its header, as one gRPC message. After the header of a block comes its body, theta and then audio,
as one gRPC message as well, or in slices if it has more than `WHOLE_BYTES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pairstream.codec import body_bytes, decode
from pairstream.errors import ProtocolError
from pairstream.header import MAX_HEADER_BYTES, Frame
from pairstream.messages import Message

SERVICE, METHOD = "pairstream.v1.Pairs", "Converse"
#: A body of up to so many bytes goes in one piece, and the receiver uses the memory that gRPC has put it in.
WHOLE_BYTES = 16 << 20
#: A larger one goes in slices, which stay in the cache while gRPC copies them, and the receiver joins them.
SLICE_BYTES = 1 << 20
#: What both ends tell gRPC: frames and flow control larger than it has by itself, which gains a tenth to a quarter of
#: throughput; and how soon a dead connection is noticed.
CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", WHOLE_BYTES),
    ("grpc.http2.max_frame_size", SLICE_BYTES),
    ("grpc.http2.lookahead_bytes", WHOLE_BYTES),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


def receive_limit(max_block_bytes: int) -> tuple[str, int]:
    """The option that lets gRPC refuse any piece that is too large for such a block, before it takes memory."""
    return "grpc.max_receive_message_length", max(MAX_HEADER_BYTES, min(max_block_bytes, WHOLE_BYTES))


def pieces(frames: Sequence[Frame]) -> Iterator[bytes]:
    """The gRPC messages that carry the frames of one message."""
    header, *body = frames
    yield bytes(header)
    if 0 < sum(map(len, body)) <= WHOLE_BYTES:
        yield b"".join(body)
        return
    for frame in body:
        for begin in range(0, len(frame), SLICE_BYTES):
            yield bytes(frame[begin : begin + SLICE_BYTES])


class Assembler:
    """Makes messages of what `pieces` made of them.

    Args:
        max_block_bytes: no block larger than this is accepted; 0 means no block at all.
    """

    def __init__(self, max_block_bytes: int) -> None:
        self._max_block_bytes = max_block_bytes
        self._header = b""
        self._theta_bytes = self._size = self._missing = 0
        self._memory: memoryview | None = None

    def add(self, piece: bytes) -> Message | None:
        """The message that is complete with this piece, if one is.

        Raises:
            ProtocolError: this is no piece of a message; the next one may begin another.
        """
        if self._header:
            return self._add_to_body(piece)
        sizes = body_bytes(piece)
        if not sizes:
            return decode([piece])
        if sum(sizes) > self._max_block_bytes:
            raise ProtocolError(f"a block of {sum(sizes)} bytes, at most {self._max_block_bytes} were expected")
        self._header, self._theta_bytes, self._memory = piece, sizes[0], None
        self._size = self._missing = sum(sizes)
        return None if self._missing else self._complete(memoryview(b""))

    def _add_to_body(self, piece: bytes) -> Message | None:
        if len(piece) > self._missing:
            self._header = b""
            raise ProtocolError(f"{len(piece)} bytes of a block that lacked {self._missing}")
        if len(piece) == self._size:
            return self._complete(np.asarray(_Memory(piece)).data)
        if self._memory is None:
            self._memory = np.empty(self._size, np.uint8).data
        begin = self._size - self._missing
        self._memory[begin : begin + len(piece)] = piece
        self._missing -= len(piece)
        return None if self._missing else self._complete(self._memory)

    def _complete(self, body: memoryview) -> Message:
        header, self._header = self._header, b""
        return decode([header, body[: self._theta_bytes], body[self._theta_bytes :]])


class _Memory:
    """The memory of bytes that nobody else has, for arrays that may be written to like those of any other wire."""

    def __init__(self, piece: bytes) -> None:
        self._piece = piece
        address = np.frombuffer(piece, np.uint8).ctypes.data
        self.__array_interface__ = {"version": 3, "shape": (len(piece),), "typestr": "|u1", "data": (address, False)}
