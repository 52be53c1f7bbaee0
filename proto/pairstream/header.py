"""The header of every message: one msgpack map, and the checks of what is in it.

`v` is the protocol's version, `t` the message's name; the other fields are the message's. Nothing that
came over a wire is used before one of these functions has looked at it. Which messages there are is
`codec.py`, and for the lending of shared memory `sharing.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgpack

from pairstream.errors import ProtocolError

#: Version of the protocol; both sides must speak the same.
VERSION = 1
#: The largest header that is read at all, in bytes.
MAX_HEADER_BYTES = 1 << 16
#: Characters of a text in a header, such as the reason of a refusal.
MAX_TEXT = 4_096

Frame = bytes | memoryview
M = TypeVar("M")

_DIGEST = re.compile(r"[0-9a-f]{64}")


def pack(name: str, fields: Mapping[str, Any]) -> bytes:
    """The header of a message of this name."""
    packed: bytes = msgpack.packb({"v": VERSION, "t": name, **fields}, use_bin_type=True)
    return packed


def unpack(frame: Frame) -> tuple[str, dict[str, Any]]:
    """The name and the fields that `pack` was given, the fields yet to be checked.

    Raises:
        ProtocolError: it is no header, or of another version.
    """
    if not 0 < len(frame) <= MAX_HEADER_BYTES:
        raise ProtocolError(f"a message whose header has {len(frame)} bytes")
    try:
        header = msgpack.unpackb(frame, raw=False, strict_map_key=True)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f"a message whose header is not msgpack: {error}") from error
    if not isinstance(header, dict):
        raise ProtocolError("a message whose header is not a map")
    if (version := header.pop("v", None)) != VERSION:
        raise ProtocolError(f"a message of protocol version {version!r}, this side speaks {VERSION}; upgrade the older")
    name = header.pop("t", None)
    if not isinstance(name, str):
        raise ProtocolError(f"a message of unknown kind {name!r:.80}")
    return name, header


def split(piece: bytes) -> tuple[bytes, bytes]:
    """The header that these bytes begin with, and what follows it.

    Raises:
        ProtocolError: they begin with no header.
    """
    unpacker = msgpack.Unpacker()
    unpacker.feed(piece[:MAX_HEADER_BYTES])
    try:
        unpacker.skip()
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f"a message whose header is not msgpack: {error}") from error
    return piece[: unpacker.tell()], piece[unpacker.tell() :]


def read(name: str, readers: Mapping[str, Callable[..., M]], *arguments: Any) -> M:
    """What the reader of this name makes of the arguments.

    Raises:
        ProtocolError: there is none, or a field is missing or of the wrong type.
    """
    reader = readers.get(name)
    if reader is None:
        raise ProtocolError(f"a message of unknown kind {name!r:.80}")
    try:
        return reader(*arguments)
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"a {name} message with wrong fields: {type(error).__name__}: {error}") from error


def text(value: object, limit: int = MAX_TEXT) -> str:
    """A text of at most `limit` characters."""
    if not isinstance(value, str) or len(value) > limit:
        raise TypeError(f"not a text of at most {limit} characters: {value!r:.80}")
    return value


def digest(value: object) -> str:
    """A stream's digest."""
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise TypeError(f"not a digest: {value!r:.80}")
    return value


def whole(value: object, limit: int = 1 << 63) -> int:
    """A whole number from 0 up to but without `limit`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        raise TypeError(f"not a whole number below {limit}: {value!r:.80}")
    return value


def sequence(value: object, limit: int) -> Sequence[object]:
    """A list of at most `limit` things."""
    if not isinstance(value, list) or len(value) > limit:
        raise TypeError(f"not a list of at most {limit}: {value!r:.80}")
    return value
