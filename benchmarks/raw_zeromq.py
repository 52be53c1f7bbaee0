"""A peer that speaks ZeroMQ by hand over a TCP socket, to say what no library would."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

#: ZMTP 3.1 as a DEALER says it, without any security: greeting, and the command READY.
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(16) + b"\x00" + bytes(31)
READY = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
PING = b"\x04\x07\x04PING\x00\x00"


@contextmanager
def raw_peer(url: str) -> Iterator[socket.socket]:
    """A TCP connection to a worker's `zmq://` URL, on which nothing was said yet."""
    host, port = url.removeprefix("zmq://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as peer:
        yield peer


def shake_hands(peer: socket.socket) -> None:
    """Say greeting and READY, and wait until the other end has."""
    peer.sendall(GREETING + READY)
    said = b""
    while b"READY" not in said:
        said += peer.recv(4_096)


def frame(body: bytes, *, more: bool = False) -> bytes:
    """A frame of at most 255 bytes."""
    return bytes([more, len(body)]) + body


def announced(length: int) -> bytes:
    """The head of a frame of so many bytes, and the first hundred of them."""
    return b"\x02" + struct.pack(">Q", length) + b"x" * 100


def until_hung_up(peer: socket.socket) -> None:
    """Wait until the other end hangs up; a time-out if it does not."""
    while peer.recv(4_096):
        pass
