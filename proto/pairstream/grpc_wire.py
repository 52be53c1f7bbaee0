"""Messages as gRPC carries them: one method, both ways, raw bytes instead of protobuf around the audio.

Every message is its header, as one gRPC message. After the header of a block come theta and then audio, cut
into slices of at most `SLICE_BYTES`: as many bytes as the header says, in as many gRPC messages as that takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pairstream.codec import body_bytes, decode
from pairstream.errors import ProtocolError
from pairstream.header import MAX_HEADER_BYTES, Frame
from pairstream.messages import Message

SERVICE, METHOD = "pairstream.v1.Pairs", "Converse"
#: gRPC copies every message; slices of about this size stay in the cache meanwhile.
SLICE_BYTES = 1 << 20
#: What both ends tell gRPC: how large a message may be; frames and flow control as large as a slice and more, which
#: gains a tenth to a quarter of throughput; and how soon a dead connection is noticed.
CHANNEL_OPTIONS = (
    ("grpc.max_receive_message_length", max(SLICE_BYTES, MAX_HEADER_BYTES)),
    ("grpc.max_send_message_length", max(SLICE_BYTES, MAX_HEADER_BYTES)),
    ("grpc.http2.max_frame_size", SLICE_BYTES),
    ("grpc.http2.lookahead_bytes", 16 * SLICE_BYTES),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.keepalive_time_ms", 2_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
)


def slices(frames: Sequence[Frame]) -> Iterator[bytes]:
    """The gRPC messages that carry the frames of one message."""
    yield bytes(frames[0])
    for frame in frames[1:]:
        for begin in range(0, len(frame), SLICE_BYTES):
            yield bytes(frame[begin : begin + SLICE_BYTES])


class Assembler:
    """Makes messages of what `slices` made of them.

    Args:
        max_block_bytes: no block larger than this is accepted; 0 means no block at all.
    """

    def __init__(self, max_block_bytes: int) -> None:
        self._max_block_bytes = max_block_bytes
        self._header = b""
        self._theta_bytes = self._filled = 0
        self._body: NDArray[np.uint8] = np.empty(0, np.uint8)

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
        self._header, self._theta_bytes, self._filled = piece, sizes[0], 0
        self._body = np.empty(sum(sizes), np.uint8)
        return self._add_to_body(b"")

    def _add_to_body(self, piece: bytes) -> Message | None:
        end = self._filled + len(piece)
        if end > self._body.size:
            missing, self._header = self._body.size - self._filled, b""
            raise ProtocolError(f"{len(piece)} bytes of a block that lacked {missing}")
        self._body[self._filled : end] = np.frombuffer(piece, np.uint8)
        self._filled = end
        if end < self._body.size:
            return None
        header, body, self._header = self._header, self._body, b""
        return decode([header, body[: self._theta_bytes].data, body[self._theta_bytes :].data])
