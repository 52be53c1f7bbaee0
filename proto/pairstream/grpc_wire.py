"""Messages as gRPC carries them: one method, both ways, raw bytes instead of protobuf around the audio.

Every message is its header, as one gRPC message. That of a block has theta right behind it, and the next one is the
audio; an array of more than `WHOLE_BYTES` goes in slices of its own instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pairstream.codec import body_bytes, decode
from pairstream.errors import ProtocolError
from pairstream.header import MAX_HEADER_BYTES, Frame, split
from pairstream.messages import Message
from pairstream.sendable import array_of, bytes_of

SERVICE, METHOD = "pairstream.v1.Pairs", "Converse"
#: An array of up to so many bytes goes in one piece, and the receiver uses the memory that gRPC has put it in.
WHOLE_BYTES = 16 << 20
#: A larger one goes in slices, which stay in the cache while gRPC copies them, and the receiver joins them.
SLICE_BYTES = 1 << 20
#: What both ends tell gRPC: frames and flow control larger than it has by itself, which gains a tenth to a quarter of
#: throughput; and how soon a dead connection is noticed.
CHANNEL_OPTIONS = (
    ("grpc.max_send_message_length", MAX_HEADER_BYTES + WHOLE_BYTES),
    ("grpc.http2.max_frame_size", SLICE_BYTES),
    ("grpc.http2.lookahead_bytes", WHOLE_BYTES),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


def receive_limit(max_block_bytes: int) -> tuple[str, int]:
    """The option that lets gRPC refuse any piece that is too large for such a block, before it takes memory."""
    return "grpc.max_receive_message_length", MAX_HEADER_BYTES + min(max_block_bytes, WHOLE_BYTES)


def pieces(frames: Sequence[Frame]) -> Iterator[bytes]:
    """The gRPC messages that carry the frames of one message."""
    header, *arrays = frames
    rider = arrays[:1] if arrays and len(arrays[0]) <= WHOLE_BYTES else []
    yield b"".join([header, *rider])
    for frame in arrays[len(rider) :]:
        if len(frame) <= WHOLE_BYTES:
            yield bytes_of(frame)
            continue
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
        self._body: list[_Growing] = []

    def add(self, piece: bytes) -> Message | None:
        """The message that is complete with this piece, if one is.

        Raises:
            ProtocolError: this is no piece of a message; the next one may begin another.
        """
        if self._header:
            self._add_to_body(piece)
            return self._complete()
        header, rest = split(piece)
        sizes = body_bytes(header)
        if not sizes:
            return decode([header, *([rest] if rest else [])])
        if sum(sizes) > self._max_block_bytes:
            raise ProtocolError(f"a block of {sum(sizes)} bytes, at most {self._max_block_bytes} were expected")
        self._header, self._body = header, [_Growing(size) for size in sizes]
        self._add_to_body(rest)
        return self._complete()

    def _add_to_body(self, piece: bytes) -> None:
        frame = next((frame for frame in self._body if frame.missing), self._body[-1])
        if len(piece) > frame.missing:
            self._header = b""
            raise ProtocolError(f"{len(piece)} bytes of an array that lacked {frame.missing}")
        if piece:
            frame.add(piece)

    def _complete(self) -> Message | None:
        if any(frame.missing for frame in self._body):
            return None
        header, self._header = self._header, b""
        return decode([header, *(frame.array.data for frame in self._body)])


class _Growing:
    """The memory of one array: that of its only piece, or such into which all pieces are copied."""

    def __init__(self, size: int) -> None:
        self.missing = size
        self.array = np.empty(0, np.uint8)
        self._size = size

    def add(self, piece: bytes) -> None:
        if len(piece) == self._size:
            self.array = array_of(piece)
        else:
            if not self.array.size:
                self.array = np.empty(self._size, np.uint8)
            begin = self._size - self.missing
            self.array[begin : begin + len(piece)] = np.frombuffer(piece, np.uint8)
        self.missing -= len(piece)
