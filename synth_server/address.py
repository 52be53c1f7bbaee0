"""A host and a port, as users write them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pairstream.errors import ConfigError

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^\[\]:/ ]+):(?P<port>\d{1,5})")
_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|localhost|\[::1\]")


@dataclass(frozen=True)
class Address:
    """A host and a TCP port to listen on; port 0 means any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, flag: str, scheme: str = "") -> Address:
        """Read `HOST:PORT`, with `scheme://` in front where there is one.

        Raises:
            ConfigError: it is not of that form.
        """
        match = _ADDRESS.fullmatch(text.removeprefix(f"{scheme}://"))
        if not match or int(match["port"]) > 0xFFFF or (scheme and not text.startswith(f"{scheme}://")):
            form = f"{scheme}://HOST:PORT" if scheme else "HOST:PORT"
            raise ConfigError(f"{flag}={text!r} is not an address; write {form}, port 0 for any free one")
        return cls(match["host"], int(match["port"]))

    @property
    def loopback(self) -> bool:
        """Whether only processes on this machine can reach it."""
        return _LOOPBACK.fullmatch(self.host) is not None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
