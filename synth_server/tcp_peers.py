"""Who is at the other end of this process's TCP connections, as the kernel says.

For libraries that own a socket and do not tell: ZeroMQ names its file descriptor, gRPC not even that.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from ipaddress import IPv6Address
from pathlib import Path
from typing import Final
from urllib.parse import unquote

#: One entry for each file descriptor of this process.
_DESCRIPTORS: Final = Path("/proc/self/fd" if Path("/proc/self/fd").is_dir() else "/dev/fd")
_MAPPED: Final = "::ffff:"


@dataclass(frozen=True)
class Peer:
    """The other end of a TCP connection."""

    host: str
    port: int

    @classmethod
    def named(cls, name: str) -> Peer:
        """As gRPC names it: `ipv4:10.0.0.7:1234`, `ipv6:%5Bfe80::1%5D:1234`."""
        host, _, port = unquote(name.partition(":")[2]).rpartition(":")
        return cls(plain_host(host.strip("[]")), int(port) if port.isdecimal() else 0)


def plain_host(host: str) -> str:
    """An IPv4 address as such, where it was written as IPv6; anything else as it is."""
    mapped = IPv6Address(host).ipv4_mapped if host.startswith(_MAPPED) else None
    return str(mapped or host)


def peer_of(descriptor: int) -> Peer | None:
    """Who is connected to the socket; None if it is none of TCP, or nobody is any more."""
    ends = _ends(descriptor)
    return ends[1] if ends else None


def peers_of_port(port: int) -> set[Peer]:
    """Everybody who is connected to this port of this process; a millisecond for some hundred open files."""
    every = (_ends(int(name)) for name in os.listdir(_DESCRIPTORS))  # noqa: PTH208 – a thousand Paths would be slow
    return {ends[1] for ends in every if ends and ends[0] == port}


def _ends(descriptor: int) -> tuple[int, Peer] | None:
    """This process's port, and the peer, of a socket that somebody else owns."""
    try:
        borrowed = socket.socket(fileno=descriptor)
    except OSError:
        return None  # no socket, or closed meanwhile
    try:
        if borrowed.family not in (socket.AF_INET, socket.AF_INET6):
            return None
        host, port = borrowed.getpeername()[:2]
        return borrowed.getsockname()[1], Peer(plain_host(host), port)
    except OSError:
        return None  # it listens, or whoever was there has left
    finally:
        borrowed.detach()
