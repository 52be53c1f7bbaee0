"""Messages to frames and back: one msgpack header, then for a block its two raw arrays.

    any message   [header]
    a block       [header, theta, audio]

The header is a msgpack map: `v` the protocol's version, `t` the message's name, then its fields. Arrays
travel as they lie in memory (C order, little endian); nothing is copied, and nothing is unpickled.
`decode` trusts nothing: every name, type and length is checked before anything is allocated.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgpack
import numpy as np

from pairstream.block import AUDIO_DTYPES, PairBlock
from pairstream.errors import ProtocolError
from pairstream.messages import Busy, Bye, Failed, Layout, Message, Open, Opened, Refused, Want

#: Version of the protocol; both sides must speak the same.
VERSION = 1
#: The largest header that is read at all, in bytes.
MAX_HEADER_BYTES = 1 << 16
#: The most blocks that one Want may ask for.
MAX_INDICES = 1 << 10
#: The most pairs per second that a worker may claim.
MAX_CAPACITY = 1 << 30
#: The longest time after which a busy worker may want to be asked again.
MAX_RETRY_SECONDS = 3_600

Frame = bytes | memoryview

if sys.byteorder != "little":
    raise ImportError("pairstream frames are little endian; this machine is not")

_DIGEST = re.compile(r"[0-9a-f]{64}")


def encode(message: Message) -> list[Frame]:
    """The frames of a message. A block's arrays are referenced, so they must not change until sent."""
    if isinstance(message, PairBlock):
        pairs, _, samples = message.audio.shape
        layout = Layout(pairs=pairs, parameters=message.theta.shape[2], samples=samples, dtype=message.audio.dtype.name)
        header = {"v": VERSION, "t": "block", "digest": message.digest, "index": message.index} | asdict(layout)
        return [_pack(header), message.theta.data.cast("B"), message.audio.data.cast("B")]
    return [_pack({"v": VERSION, "t": _NAMES[type(message)]} | asdict(message))]


def decode(frames: Sequence[Frame]) -> Message:
    """The message that `encode` made these frames of.

    Raises:
        ProtocolError: truncated, oversized, of another version, inconsistent, or not ours at all.
    """
    header = _header(frames)
    name = header.pop("t", None)
    read = _READERS.get(name) if isinstance(name, str) else None
    if read is None:
        raise ProtocolError(f"a message of unknown kind {name!r}")
    if len(frames) != (3 if name == "block" else 1):
        raise ProtocolError(f"a {name} message of {len(frames)} frames")
    try:
        return read(header, frames)
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"a {name} message with wrong fields: {type(error).__name__}: {error}") from error


def _pack(header: Mapping[str, Any]) -> bytes:
    packed: bytes = msgpack.packb(header, use_bin_type=True)
    return packed


def _header(frames: Sequence[Frame]) -> dict[str, Any]:
    if not frames or not 0 < len(frames[0]) <= MAX_HEADER_BYTES:
        raise ProtocolError(f"a message whose header has {len(frames[0]) if frames else 0} bytes")
    try:
        header = msgpack.unpackb(frames[0], raw=False, strict_map_key=True)
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise ProtocolError(f"a message whose header is not msgpack: {error}") from error
    if not isinstance(header, dict):
        raise ProtocolError("a message whose header is not a map")
    if (version := header.pop("v", None)) != VERSION:
        raise ProtocolError(f"a message of protocol version {version!r}, this side speaks {VERSION}; upgrade the older")
    return header


def _text(value: object, limit: int = 4_096) -> str:
    if not isinstance(value, str) or len(value) > limit:
        raise TypeError(f"not a text of at most {limit} characters: {value!r:.80}")
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise TypeError(f"not a digest: {value!r:.80}")
    return value


def _whole(value: object, limit: int = 1 << 63) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < limit:
        raise TypeError(f"not a whole number below {limit}: {value!r:.80}")
    return value


def _indices(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > MAX_INDICES:
        raise TypeError(f"not a list of at most {MAX_INDICES} indices")
    return tuple(_whole(index) for index in value)


def _layout(fields: Mapping[str, Any]) -> Layout:
    if fields["dtype"] not in AUDIO_DTYPES:
        raise TypeError(f"not a type of audio: {fields['dtype']!r:.80}")
    sizes = {name: _whole(fields[name], 1 << 31) for name in ("pairs", "parameters", "samples")}
    return Layout(**sizes, dtype=fields["dtype"])


def _open(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    if not isinstance(header["spec"], dict):
        raise TypeError("the spec is not a map")
    return Open(spec=header["spec"], experiment=_text(header["experiment"], 128))


def _opened(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Opened(
        digest=_digest(header["digest"]),
        layout=_layout(header["layout"]),
        fingerprint=_text(header["fingerprint"]),
        capacity=_whole(header["capacity"], MAX_CAPACITY + 1),
        head=None if header["head"] is None else _whole(header["head"]),
    )


def _refused(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Refused(digest=_digest(header["digest"]) if header["digest"] else "", reason=_text(header["reason"]))


def _want(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Want(
        digest=_digest(header["digest"]),
        indices=_indices(header["indices"]),
        experiment=_text(header["experiment"], 128),
    )


def _failed(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Failed(digest=_digest(header["digest"]), index=_whole(header["index"]), reason=_text(header["reason"]))


def _busy(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    seconds = header["retry_seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_RETRY_SECONDS:
        raise TypeError(f"not 0 to {MAX_RETRY_SECONDS} seconds: {seconds!r:.80}")
    return Busy(
        digest=_digest(header["digest"]),
        indices=_indices(header["indices"]),
        retry_seconds=float(seconds),
        reason=_text(header["reason"]),
    )


def _bye(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Bye(reason=_text(header["reason"]))


def _block(header: dict[str, Any], frames: Sequence[Frame]) -> Message:
    layout, digest, index = _layout(header), _digest(header["digest"]), _whole(header["index"])
    arrays = []
    for name, frame, dtype, width in (
        ("theta", frames[1], np.dtype(np.float32), layout.parameters),
        ("audio", frames[2], np.dtype(layout.dtype), layout.samples),
    ):
        expected = layout.pairs * 2 * width * dtype.itemsize
        if len(frame) != expected:
            raise ProtocolError(f"block {index}: {len(frame)} bytes of {name}, its header says {expected}")
        arrays.append(np.frombuffer(frame, dtype).reshape(layout.pairs, 2, width))
    return PairBlock(index=index, digest=digest, theta=arrays[0], audio=arrays[1])


_NAMES = {Open: "open", Opened: "opened", Refused: "refused", Want: "want", Failed: "failed", Busy: "busy", Bye: "bye"}
_READERS: dict[str, Callable[[dict[str, Any], Sequence[Frame]], Message]] = {
    "open": _open,
    "opened": _opened,
    "refused": _refused,
    "want": _want,
    "block": _block,
    "failed": _failed,
    "busy": _busy,
    "bye": _bye,
}
