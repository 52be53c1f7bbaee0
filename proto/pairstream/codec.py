"""Messages to frames and back: one msgpack header, then for a block its two raw arrays.

    any message   [header]
    a block       [header, theta, audio]

Arrays travel as they lie in memory (C order, little endian); nothing is copied, and nothing is unpickled.
`decode` trusts nothing: every name, type and length is checked before anything is allocated. How frames
become bytes on a wire is the transports' affair.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from pairstream.block import AUDIO_DTYPES, PairBlock
from pairstream.errors import ProtocolError
from pairstream.header import MAX_TEXT, Frame, digest, pack, read, sequence, text, unpack, whole
from pairstream.messages import Busy, Bye, Failed, Layout, Message, Open, Opened, Refused, Want

#: The most blocks that one Want may ask for.
MAX_INDICES = 1 << 10
#: The most pairs per second that a worker may claim.
MAX_CAPACITY = 1 << 30
#: The longest time after which a busy worker may want to be asked again.
MAX_RETRY_SECONDS = 3_600

if sys.byteorder != "little":
    raise ImportError("pairstream frames are little endian; this machine is not")


def encode(message: Message) -> list[Frame]:
    """The frames of a message. A block's arrays are referenced, so they must not change until sent."""
    if isinstance(message, PairBlock):
        pairs, _, samples = message.audio.shape
        layout = Layout(pairs=pairs, parameters=message.theta.shape[2], samples=samples, dtype=message.audio.dtype.name)
        header = pack("block", {"digest": message.digest, "index": message.index} | asdict(layout))
        return [header, message.theta.data.cast("B"), message.audio.data.cast("B")]
    fields = asdict(message)
    if "reason" in fields:  # whatever went wrong, it can be said
        fields["reason"] = fields["reason"][:MAX_TEXT]
    return [pack(_NAMES[type(message)], fields)]


def decode(frames: Sequence[Frame]) -> Message:
    """The message that `encode` made these frames of.

    Raises:
        ProtocolError: truncated, oversized, of another version, inconsistent, or not ours at all.
    """
    name, fields = unpack(frames[0] if frames else b"")
    if name in _READERS and len(frames) != (3 if name == "block" else 1):
        raise ProtocolError(f"a {name} message of {len(frames)} frames")
    return read(name, _READERS, fields, frames)


def body_bytes(header: Frame) -> tuple[int, ...]:
    """The lengths of the frames that follow this header, for wires that do not keep frames apart.

    Raises:
        ProtocolError: it is no header, or that of a block without a layout.
    """
    name, fields = unpack(header)
    return read(name, {"block": lambda fields: array_bytes(_layout(fields))}, fields) if name == "block" else ()


def array_bytes(layout: Layout) -> tuple[int, int]:
    """Bytes of theta and of audio of every block of this layout."""
    sounds = layout.pairs * 2
    return sounds * layout.parameters * 4, sounds * layout.samples * np.dtype(layout.dtype).itemsize


def _indices(value: object) -> tuple[int, ...]:
    return tuple(whole(index) for index in sequence(value, MAX_INDICES))


def _layout(fields: Mapping[str, Any]) -> Layout:
    if fields["dtype"] not in AUDIO_DTYPES:
        raise TypeError(f"not a type of audio: {fields['dtype']!r:.80}")
    sizes = {name: whole(fields[name], 1 << 31) for name in ("pairs", "parameters", "samples")}
    return Layout(**sizes, dtype=fields["dtype"])


def _open(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    if not isinstance(header["spec"], dict):
        raise TypeError("the spec is not a map")
    return Open(spec=header["spec"], experiment=text(header["experiment"], 128))


def _opened(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Opened(
        digest=digest(header["digest"]),
        layout=_layout(header["layout"]),
        fingerprint=text(header["fingerprint"]),
        capacity=whole(header["capacity"], MAX_CAPACITY + 1),
        head=None if header["head"] is None else whole(header["head"]),
    )


def _refused(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Refused(digest=digest(header["digest"]) if header["digest"] else "", reason=text(header["reason"]))


def _want(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Want(
        digest=digest(header["digest"]),
        indices=_indices(header["indices"]),
        experiment=text(header["experiment"], 128),
    )


def _failed(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Failed(digest=digest(header["digest"]), index=whole(header["index"]), reason=text(header["reason"]))


def _busy(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    seconds = header["retry_seconds"]
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= MAX_RETRY_SECONDS:
        raise TypeError(f"not 0 to {MAX_RETRY_SECONDS} seconds: {seconds!r:.80}")
    return Busy(
        digest=digest(header["digest"]),
        indices=_indices(header["indices"]),
        retry_seconds=float(seconds),
        reason=text(header["reason"]),
    )


def _bye(header: dict[str, Any], _: Sequence[Frame]) -> Message:
    return Bye(reason=text(header["reason"]))


def _block(header: dict[str, Any], frames: Sequence[Frame]) -> Message:
    layout, index = _layout(header), whole(header["index"])
    arrays = []
    for name, frame, expected, dtype, width in zip(
        ("theta", "audio"),
        frames[1:],
        array_bytes(layout),
        ("float32", layout.dtype),
        (layout.parameters, layout.samples),
        strict=True,
    ):
        if len(frame) != expected:
            raise ProtocolError(f"block {index}: {len(frame)} bytes of {name}, its header says {expected}")
        arrays.append(np.frombuffer(frame, dtype).reshape(layout.pairs, 2, width))
    return PairBlock(index=index, digest=digest(header["digest"]), theta=arrays[0], audio=arrays[1])


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
