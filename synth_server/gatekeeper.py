"""Who may come in over ZeroMQ: the worker's CURVE key, and the list of its clients' public keys.

libzmq asks at every handshake, by ZAP (RFC 27), on a socket that the serving thread answers along with all else. The
list is a folder of public key files. It is read again whenever a file came or went: a key that is added may
come in at once, a key that is removed may not come again (a connection that is open stays).
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final, Protocol

import zmq
from zmq.utils import z85

from pairstream.curve import CurvePair, read_public
from pairstream.errors import ConfigError

_log = logging.getLogger(__name__)

#: What public key files are called.
PATTERN: Final = "*.public"
#: Handshakes answered at once, so that clients that are in get their turn.
TURN: Final = 64
#: Unknown keys that are logged, once each; whoever makes new ones all the time does not fill the log.
REMEMBERED: Final = 1_024


class Gatekeeper(Protocol):
    """What a door needs of it."""

    def guard(self, context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes]) -> None:
        """Put a lock on a socket that is not bound yet."""

    def register(self, poller: zmq.Poller) -> None:
        """Name what the poller should watch."""

    def answer(self) -> None:
        """Let those in, or not, who stand before the door."""

    def close(self) -> None:
        """Nobody comes in any more. Idempotent."""


class OpenGate:
    """The null object: everybody comes in, and nothing is encrypted."""

    def guard(self, context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes]) -> None:
        """Without a lock."""

    def register(self, poller: zmq.Poller) -> None:
        """Nothing to watch."""

    def answer(self) -> None:
        """Nobody asks."""

    def close(self) -> None:
        """Nothing to close."""


class AllowList:
    """The public keys in a folder.

    Raises:
        ConfigError: there is no such folder, no key in it, or a file in it that holds none.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_at = self._changed_at()
        self._keys = self._read()
        if not self._keys:
            raise ConfigError(f"{folder} has no {PATTERN}, so no client could come; run `synth-server keys curve`")

    def __contains__(self, key: bytes) -> bool:
        try:
            if (changed_at := self._changed_at()) != self._read_at:
                self._keys, self._read_at = self._read(), changed_at
        except ConfigError as error:
            _log.error("the list of clients stays as it was: %s", error)
        return key in self._keys

    def _changed_at(self) -> int:
        try:
            return self.folder.stat().st_mtime_ns
        except OSError as error:
            raise ConfigError(f"cannot read the folder {self.folder}: {error.strerror}") from error

    def _read(self) -> frozenset[bytes]:
        return frozenset(read_public(path) for path in self.folder.glob(PATTERN))


class CurveGate:
    """Lets in whoever has a key of the list.

    Args:
        pair: the worker's own.
        allowed: the public keys of its clients.
    """

    def __init__(self, pair: CurvePair, allowed: AllowList) -> None:
        self._pair = pair
        self._allowed = allowed
        self._turned_away: set[bytes] = set()
        self._zap: zmq.Socket[bytes] | None = None

    def guard(self, context: zmq.Context[zmq.Socket[bytes]], socket: zmq.Socket[bytes]) -> None:
        """Put a lock on a socket that is not bound yet."""
        self._zap = context.socket(zmq.ROUTER)
        self._zap.bind("inproc://zeromq.zap.01")
        socket.curve_server = True
        socket.curve_secretkey = self._pair.secret
        socket.zap_domain = b"pairs"

    def register(self, poller: zmq.Poller) -> None:
        """Watch for libzmq's questions."""
        if self._zap:
            poller.register(self._zap, zmq.POLLIN)

    def answer(self) -> None:
        """Answer libzmq's questions."""
        if self._zap is None:
            return
        for _ in range(TURN):
            try:
                asker, empty, version, request, _, address, _, mechanism, *keys = self._zap.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            welcome = mechanism == b"CURVE" and len(keys) == 1 and self._knows(keys[0], address)
            code, text = (b"200", b"OK") if welcome else (b"400", b"unknown key")
            self._zap.send_multipart([asker, empty, version, request, code, text, b"", b""])

    def close(self) -> None:
        """Nobody comes in any more. Idempotent."""
        if self._zap:
            self._zap.close(linger=0)
            self._zap = None

    def _knows(self, raw: bytes, address: bytes) -> bool:
        key = z85.encode(raw)
        if key in self._allowed:
            return True
        if key not in self._turned_away and len(self._turned_away) < REMEMBERED:
            self._turned_away.add(key)
            _log.warning(
                "turned away a client at %s with the unknown key %s; to let it in, put its %s into %s",
                address.decode("ascii", "replace"),
                key.decode(),
                PATTERN,
                self._allowed.folder,
            )
        return False
