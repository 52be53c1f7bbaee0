"""How one worker is named: a scheme, which says by what wire it is reached, and a place.

    zmq://HOST:PORT  zmq:///PATH   ZeroMQ over TCP or a Unix socket; the blocks in shared memory where that can be
    tcp://HOST:PORT  ipc:///PATH   ZeroMQ over just that
    shm://HOST:PORT  shm:///PATH   as zmq://, but an error where no memory can be shared
    grpc://HOST:PORT               a gRPC stream

The names of workers are texts of this form everywhere, in the order of routing as in messages to users.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from pairstream.address import Address
from pairstream.errors import ConfigError

#: What may follow each scheme.
FORMS = {
    "zmq": "HOST:PORT or /PATH",
    "tcp": "HOST:PORT",
    "ipc": "/PATH",
    "shm": "HOST:PORT or /PATH",
    "grpc": "HOST:PORT",
}
#: The longest path that the kernel takes for a Unix socket, in bytes.
MAX_PATH_BYTES = 107


@dataclass(frozen=True)
class WorkerUrl:
    """One worker on one wire.

    Attributes:
        scheme: one of `FORMS`.
        place: the address, or the absolute path of a Unix socket.
    """

    scheme: str
    place: Address | str

    @classmethod
    def parse(cls, text: str, *, any_port: bool = False) -> WorkerUrl:
        """Read `scheme://place`.

        Args:
            text: what somebody wrote.
            any_port: port 0 is meant, by one who will listen there.

        Raises:
            ConfigError: it is not of one of the forms; the message quotes it.
        """
        scheme, _, rest = text.partition("://")
        if scheme not in FORMS:
            raise ConfigError(f"{text!r} is not a worker's URL; write {', '.join(f'{name}://…' for name in FORMS)}")
        if rest.startswith("/") and "/PATH" in FORMS[scheme]:
            return cls(scheme, _path(text, rest))
        address = Address.read(rest) if "HOST:PORT" in FORMS[scheme] else None
        if address is None or not (address.port or any_port):
            raise ConfigError(f"{text!r} is not a worker's URL; write {scheme}://{FORMS[scheme]}")
        return cls(scheme, address)

    @property
    def endpoint(self) -> str:
        """Where that is in ZeroMQ's words."""
        return f"{'tcp' if isinstance(self.place, Address) else 'ipc'}://{self.place}"

    @property
    def loopback(self) -> bool:
        """Whether only processes on this machine can reach it."""
        return not isinstance(self.place, Address) or self.place.loopback

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"


def parse_workers(text: str) -> tuple[WorkerUrl, ...]:
    """Read `scheme://place[,place…]`; a further place may have a scheme of its own.

    Raises:
        ConfigError: one of them is no worker's URL, or is named twice.
    """
    scheme, _, _ = text.partition("://")
    parts = [part.strip() for part in text.split(",")]
    workers = tuple(WorkerUrl.parse(part if "://" in part else f"{scheme}://{part}") for part in parts)
    if len(set(workers)) != len(workers):
        raise ConfigError(f"{text} names a worker twice")
    return workers


def _path(text: str, path: str) -> str:
    size = len(os.fsencode(path))
    if size > MAX_PATH_BYTES:
        raise ConfigError(f"{text!r}: a Unix socket's path has at most {MAX_PATH_BYTES} bytes, this one {size}")
    return path
