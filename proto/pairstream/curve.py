"""CURVE: the keys with which the two ends of a ZeroMQ connection know each other, and encrypt.

Each end has a secret key and the public key that belongs to it; a client must know its worker's public key, and a
worker lists the public keys of its clients (`synth_server/gatekeeper.py`). Keys are files in the form of
`zmq.auth`: a line `public-key = "…"`, and in a secret file a line `secret-key = "…"`, 40 characters of Z85 each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import zmq
from zmq.utils import z85

from pairstream.errors import ConfigError
from pairstream.secret_files import read_file, read_secret

#: Bytes by which a frame is longer on the wire once it is encrypted: its name, number and seal, 33, and some to spare.
#: libzmq counts them as the frame's own.
OVERHEAD_BYTES = 64

_LINE = re.compile(rb'^\s*(public|secret)-key\s*=\s*"([\x21-\x7e]{40})"\s*$', re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class CurvePair:
    """A secret key and its public key, 40 characters of Z85 each."""

    public: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls) -> CurvePair:
        """A pair that nobody ever had."""
        public, secret = zmq.curve_keypair()
        return cls(public=public, secret=secret)

    @classmethod
    def read(cls, path: Path) -> CurvePair:
        """The pair in a secret file.

        Raises:
            ConfigError: it cannot be read, others may read it, or it is something else.
        """
        secret = _key("secret", path, read_secret(path))
        return cls(public=zmq.curve_public(secret), secret=secret)

    def secret_file(self) -> bytes:
        """What a file with both says."""
        return self.public_file() + b'    secret-key = "%s"\n' % self.secret

    def public_file(self) -> bytes:
        """What a file for others says."""
        return b'curve\n    public-key = "%s"\n' % self.public


def read_public(path: Path) -> bytes:
    """The public key in a file.

    Raises:
        ConfigError: it cannot be read, or is something else.
    """
    return _key("public", path, read_file(path))


def _key(kind: str, path: Path, held: bytes) -> bytes:
    keys: dict[str, bytes] = {name.decode(): key for name, key in _LINE.findall(held)}
    try:
        if len(z85.decode(keys[kind])) == 32:
            return keys[kind]
    except (KeyError, ValueError, OverflowError):
        pass  # z85 itself says nothing that would help
    raise ConfigError(f"{path} holds no {kind} CURVE key; `synth-server keys curve` makes such files")
