"""Bytes that an enemy or a broken client might send: mutations of true messages, and some that are worse.

All of it comes from one seed, so that a failure can be had again.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import msgpack
from toy_source import TOY, ToySource

from pairstream import sharing
from pairstream.codec import encode
from pairstream.header import VERSION
from pairstream.messages import Busy, Bye, Failed, Layout, Open, Opened, Refused, Want

DIGEST = TOY.digest
LAYOUT = Layout(pairs=4, parameters=5, samples=32, dtype="float32")

MESSAGES = [
    [bytes(frame) for frame in encode(message)]
    for message in (
        Open(spec=TOY.as_dict(), experiment="x"),
        Opened(digest=DIGEST, layout=LAYOUT, fingerprint="toy 1", capacity=7, head=3),
        Refused(digest="", reason="no"),
        Want(digest=DIGEST, indices=(0, 1, 2), experiment="x"),
        Failed(digest=DIGEST, index=1, reason="no"),
        Busy(digest=DIGEST, indices=(1,), retry_seconds=0.5, reason="no"),
        Bye(reason="no"),
        ToySource(TOY).render(0),
    )
] + [
    [bytes(frame) for frame in sharing.encode(message)]
    for message in (
        sharing.Ask(slots=4, slot_bytes=4096),
        sharing.Meet(place="nowhere", token=bytes(16)),
        sharing.Shared(),
        sharing.Apart(reason="no"),
        sharing.Lend(slots=((0, 1), (1, 2))),
    )
]

#: msgpack that announces far more than there is: arrays, maps, texts and bytes of 4 GB.
BOMBS = [bytes([code]) + struct.pack(">I", 0xFFFFFFFF) for code in (0xC6, 0xC9, 0xDB, 0xDD, 0xDF)]
BOMBS += [b"\x83\xa1v\x01\xa1t\xa4want\xa7indices" + bomb for bomb in BOMBS]
BOMBS += [b"\x91" * 60_000 + b"\xc0", b"\x81\xa1a" * 20_000 + b"\xc0", b"\xd9", b"\xc1" * 60_000]

#: Values in the place of what a field should be.
_VALUES = [
    None,
    True,
    -1,
    2**31,
    2**32,
    2**63 - 1,
    2**63,
    2**64 - 1,
    1e308,
    float("nan"),
    "",
    "x" * 60_000,
    b"\xff" * 99,
]
_VALUES += [[], [[]], {}, {"": {}}, [2**63] * 1_025, [None] * 60_000, "ab" * 32, {"pairs": 2**31 - 1}]


def garbage(count: int, seed: int = 0) -> Iterator[list[bytes]]:
    """`count` messages of one or more frames, of which few are true by chance."""
    rng = random.Random(seed)
    for _ in range(count):
        frames = list(rng.choice(MESSAGES))
        yield _ways(rng)(rng, frames)


def _ways(rng: random.Random):
    return rng.choice([_flip, _flip, _cut, _bomb, _field, _field, _field, _frames, _length, _noise])


def _flip(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    at = rng.randrange(len(frames))
    changed = bytearray(frames[at] or b"\0")
    for _ in range(rng.choice([1, 2, 8])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    frames[at] = bytes(changed)
    return frames


def _cut(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    at = rng.randrange(len(frames))
    frames[at] = frames[at][: rng.randrange(len(frames[at]) + 1)]
    return frames


def _bomb(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    frames[rng.randrange(len(frames))] = rng.choice(BOMBS)
    return frames


def _field(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    at = 1 if frames[0] == sharing.PREFIX else 0
    header = msgpack.unpackb(frames[at])
    name = rng.choice(list(header))
    if rng.random() < 0.2:
        del header[name]
    else:
        header[name] = rng.choice(_VALUES)
    if rng.random() < 0.9:
        header["v"] = VERSION
    frames[at] = msgpack.packb(header)
    return frames


def _frames(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    return rng.choice([frames * 2, frames[:-1] or [b""], frames + [b""] * rng.choice([1, 40]), frames[::-1]])


def _length(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    """A length, where the message has one or not, becomes 4 GB or 2^63."""
    at = rng.randrange(len(frames))
    place = rng.randrange(len(frames[at]) + 1)
    length = rng.choice([struct.pack(">I", 0xFFFFFFFF), struct.pack(">Q", 1 << 63), struct.pack("<Q", 1 << 32)])
    frames[at] = frames[at][:place] + length + frames[at][place + len(length) :]
    return frames


def _noise(rng: random.Random, frames: list[bytes]) -> list[bytes]:
    return [rng.randbytes(rng.choice([0, 1, 16, 300])) for _ in range(rng.randrange(1, 5))]
