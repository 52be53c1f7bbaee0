"""A host and a port, as users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pairstream.errors import ConfigError

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/, ]+):(?P<port>\d{1,5})")
_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|localhost|\[::1\]")


@dataclass(frozen=True)
class Address:
    """A host and a TCP port. Port 0 means any free one, to whoever listens there."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Address | None:
        """`HOST:PORT`, or None if it is not of that form."""
        match = _ADDRESS.fullmatch(text)
        return cls(match["host"], int(match["port"])) if match and int(match["port"]) <= 0xFFFF else None

    @classmethod
    def parse(cls, text: str, *, flag: str) -> Address:
        """`HOST:PORT`.

        Raises:
            ConfigError: it is not of that form; the message names the flag.
        """
        address = cls.read(text)
        if address is None:
            raise ConfigError(f"{flag}={text!r} is not an address; write HOST:PORT, port 0 for any free one")
        return address

    @property
    def loopback(self) -> bool:
        """Whether only processes on this machine can reach it."""
        return _LOOPBACK.fullmatch(self.host) is not None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
