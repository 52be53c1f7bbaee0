"""Who may come in over ZeroMQ: everybody, or whoever has a CURVE key of the list. `gatekeeper.py` asks.

The list is a folder of public key files. It is read again whenever a file came or went: a key that is added may
come in at once, a key that is removed may not come again (a connection that is open stays).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

import zmq
from zmq.utils import z85

from pairstream.curve import CurvePair, read_public
from pairstream.errors import ConfigError

_log = logging.getLogger(__name__)

#: What public key files are called.
PATTERN: Final = "*.public"
#: Unknown keys that are logged, once each, of one host and in all: who makes new ones all the time fills no log.
OF_ONE_HOST, REMEMBERED = 16, 1_024


class Gate(Protocol):
    """What a gatekeeper needs of it."""

    def lock(self, socket: zmq.Socket[bytes]) -> None:
        """Put a lock on a socket that is not bound yet."""

    def admits(self, mechanism: bytes, credentials: Sequence[bytes], address: str) -> bool:
        """Whether to let somebody in who shows this (RFC 27)."""


class OpenGate:
    """The null object: everybody comes in, and nothing is encrypted."""

    def lock(self, socket: zmq.Socket[bytes]) -> None:
        """Without a lock."""

    def admits(self, mechanism: bytes, credentials: Sequence[bytes], address: str) -> bool:
        """Yes."""
        return True


class AllowList:
    """The public keys in a folder.

    Raises:
        ConfigError: there is no such folder, no key in it, or a file in it that holds none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_at = self._changed_at()
        self._keys = frozenset(map(read_public, folder.glob(PATTERN)))
        if not self._keys:
            raise ConfigError(f"{folder} has no {PATTERN}, so no client could come; run `synth-server keys curve`")

    def __contains__(self, key: bytes) -> bool:
        try:
            if (changed_at := self._changed_at()) != self._read_at:
                self._read_at, self._keys = changed_at, frozenset(self._readable())
        except ConfigError as error:
            _log.error("the list of clients stays as it was: %s", error)
        return key in self._keys

    def _changed_at(self) -> int:
        try:
            return self.folder.stat().st_mtime_ns
        except OSError as error:
            raise ConfigError(f"cannot read the folder {self.folder}: {error.strerror}") from error

    def _readable(self) -> Iterator[bytes]:
        """Without those that hold no key, each of which is named."""
        for path in self.folder.glob(PATTERN):
            try:
                yield read_public(path)
            except ConfigError as error:
                _log.error("left out of the list of clients: %s", error)


class CurveGate:
    """Lets in whoever has a key of the list.

    Args:
        pair: the worker's own.
        allowed: the public keys of its clients.
    """

    def __init__(self, pair: CurvePair, allowed: AllowList) -> None:
        self._pair = pair
        self._allowed = allowed
        self._turned_away: dict[bytes, str] = {}

    def lock(self, socket: zmq.Socket[bytes]) -> None:
        """Whoever connects must know the worker's key, and show one of its own."""
        socket.curve_server = True
        socket.curve_secretkey = self._pair.secret

    def admits(self, mechanism: bytes, credentials: Sequence[bytes], address: str) -> bool:
        """Whether its key is on the list; if not, that is logged once."""
        return mechanism == b"CURVE" and len(credentials) == 1 and self._knows(z85.encode(credentials[0]), address)

    def _knows(self, key: bytes, address: str) -> bool:
        if key in self._allowed:
            return True
        if self._is_news(key, address):
            self._turned_away[key] = address
            _log.warning(
                "turned away a client at %s with the unknown key %s; to let it in, put its %s into %s",
                address,
                key.decode(),
                PATTERN,
                self._allowed.folder,
            )
        return False

    def _is_news(self, key: bytes, address: str) -> bool:
        if key in self._turned_away or len(self._turned_away) >= REMEMBERED:
            return False
        return list(self._turned_away.values()).count(address) < OF_ONE_HOST
