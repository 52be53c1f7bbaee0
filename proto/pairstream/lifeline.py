"""The Unix socket over which a memory is handed to a worker, and which tells each end when the other is gone.

Abstract, so it has no file: nothing is left of it, however its owner ends. Its name is random, so it
answers only where it was made: in the same network namespace of the same host.
"""

from __future__ import annotations

import os
import socket
from typing import Final

#: In front of every name, so that no other socket is ever reached.
_NAMES: Final = "\0pairstream/"


def listen(place: str) -> socket.socket:
    """The socket of that name; nothing on it waits.

    Raises:
        OSError: this system has no abstract sockets, or the name is taken.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        listener.bind(_NAMES + place)
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


def hand_over(place: str, token: bytes, fd: int) -> socket.socket:
    """Give a file to whoever listens there, without waiting; keep the socket as long as the memory is to be shared.

    Raises:
        OSError: nobody does, here.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    try:
        line.connect(_NAMES + place)
        socket.send_fds(line, [token], [fd])
    except OSError:
        line.close()
        raise
    return line


def take_over(line: socket.socket) -> tuple[bytes, int]:
    """What `hand_over` gave: the token and the file. (b"", -1) if the other end is gone.

    Raises:
        OSError: it gave something else; what it gave is closed.
    """
    said, fds, flags, _ = socket.recv_fds(line, 64, 4)
    if not said and not fds:
        return b"", -1
    if len(fds) != 1 or flags & (socket.MSG_CTRUNC | socket.MSG_TRUNC):
        for fd in fds:
            os.close(fd)
        raise OSError(f"{len(fds)} files were handed over, not 1")
    return said, fds[0]
