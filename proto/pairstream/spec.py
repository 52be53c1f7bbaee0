"""StreamSpec: everything that decides the bytes of a block.

Two specs that differ in any field have different digests and thus name different streams. What is
*not* here (batch splits, threads, transports, which worker) must never change a byte.

Whether a synth or an engine of that name exists is for the worker to say (`RefusedError`); this
file only decides whether the spec could describe a stream at all (`SpecError`).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, get_args

import msgpack

from pairstream.errors import SpecError
from pairstream.oscillators import departures

Sampling = Literal["paper", "unit"]
Dtype = Literal["float32", "float16"]

#: Version of the law (spec, index) -> bytes. A new law is a new number, hence new digests.
LAW = 1

#: The groups of parameters that `delta` can address one by one; every parameter is in one of them.
GROUPS = ("pitch", "envelope", "lfo", "modulation", "oscillator", "mix")

#: The most sounds at once that a spec can name.
MOST_LAYERS = 64

#: Key of a `delta` mapping that stands for all groups it does not name.
REST = "rest"

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_ITEM_BYTES = {"float32": 4, "float16": 2}


@dataclass(frozen=True, kw_only=True, repr=False)
class StreamSpec:
    """A stream of blocks of audio doppelgänger pairs. The defaults are the paper's Voice stream.

    Raises:
        SpecError: a field is out of range; the message quotes the value and the remedy.
    """

    synth: str = "voice"
    """The synthesizer: voice (78 parameters), voice-fm (130) or parametric (340 unless oscillators says otherwise)."""
    oscillators: Mapping[str, int] = field(default_factory=dict)
    """Numbers of sine, square_saw, fm_sine and fm_square_saw in parametric, those that are not 2, 2, 1 and 1."""
    engine: str = "fused"
    """The engine that turns parameters into audio. Its arithmetic decides the bytes."""
    sampling: Sampling = "paper"
    """paper: uniform in human units, then curve-warped. unit: uniform in [0, 1]."""
    delta: float | Mapping[str, float] = 0.25
    """Standard deviation of the perturbation: one number, or one per group of parameters."""
    sample_rate: int = 16_000
    """Samples per second of the audio, in hertz."""
    seconds: float = 1.0
    """Length of each sound, in seconds."""
    layers: int = 1
    """Sounds that are played at once to make one; each has parameters of its own."""
    control_rate: int = 480
    """Samples per second of the envelopes and LFOs, in hertz."""
    block_pairs: int = 128
    """Pairs in a block, the unit of work and of transfer."""
    seed: int = 0
    """Which stream of all that the other fields allow, 0 to 2**64 - 1."""
    dtype: Dtype = "float32"
    """Type of the audio samples: float32, or float16 at half the bytes (73 dB SNR)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "delta", _checked_delta(self.delta))
        object.__setattr__(self, "seconds", _real("seconds", self.seconds))
        for name in ("synth", "engine"):
            value = getattr(self, name)
            if not isinstance(value, str) or not _NAME.fullmatch(value):
                raise SpecError(
                    f"{name}={value!r} is not a name; use lower-case letters, digits and '-', such as 'voice'"
                )
        object.__setattr__(self, "oscillators", departures(self.synth, self.oscillators))
        for name, choices in (("sampling", get_args(Sampling)), ("dtype", get_args(Dtype))):
            value = getattr(self, name)
            if value not in choices:
                raise SpecError(f"{name}={value!r} is unknown; use one of {', '.join(choices)}")
        _whole("sample_rate", self.sample_rate, 1_000, 384_000, "hertz")
        _whole("control_rate", self.control_rate, 1, self.sample_rate, "hertz, at most the sample rate")
        _whole("layers", self.layers, 1, MOST_LAYERS, "")
        _whole("block_pairs", self.block_pairs, 1, 1 << 20, "pairs")
        _whole("seed", self.seed, 0, (1 << 64) - 1, "")
        if not 0.0 < self.seconds <= 3_600.0:
            raise SpecError(f"seconds={self.seconds!r} is out of range; use more than 0 and at most 3600")
        if self.samples < 2 or self.control_samples < 2:
            raise SpecError(
                f"seconds={self.seconds!r} gives {self.samples} audio and {self.control_samples} control samples; "
                "both must be at least 2: make the sounds longer or raise the rates"
            )

    @property
    def samples(self) -> int:
        """T, the samples of one sound."""
        return round(self.seconds * self.sample_rate)

    @property
    def control_samples(self) -> int:
        """The control samples (envelopes, LFOs) of one sound."""
        return round(self.seconds * self.control_rate)

    @property
    def audio_bytes(self) -> int:
        """Bytes of one block's audio, (N, 2, T) in `dtype`."""
        return self.block_pairs * 2 * self.samples * _ITEM_BYTES[self.dtype]

    def delta_of(self, group: str) -> float:
        """The perturbation's standard deviation for the parameters of `group`."""
        if isinstance(self.delta, Mapping):
            return float(self.delta[group])
        return float(self.delta)

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values, for JSON, msgpack and `StreamSpec(**...)`."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}

    @classmethod
    def from_dict(cls, values: object) -> StreamSpec:
        """The inverse of `as_dict`. A name that is missing has its default, an unknown one is an error."""
        if not isinstance(values, Mapping):
            raise SpecError(f"a spec is a mapping of fields, not {type(values).__name__}")
        known = {item.name for item in fields(cls)}
        if unknown := sorted(map(str, set(values) - known)):
            raise SpecError(f"unknown field {unknown[0]!r} in the spec; known are {', '.join(sorted(known))}")
        return cls(**values)

    @cached_property
    def canonical(self) -> bytes:
        """One byte string per stream: msgpack of the law and the fields in alphabetical order, but for one layer."""
        values = {
            name: sorted(value.items()) if isinstance(value, Mapping) else value
            for name, value in self.as_dict().items()
            if (name, value) != ("layers", 1)
        }
        packed: bytes = msgpack.packb([LAW, sorted(values.items())], use_bin_type=True)
        return packed

    @cached_property
    def digest(self) -> str:
        """SHA-256 of `canonical` in hexadecimal: the stream's name."""
        return hashlib.sha256(self.canonical).hexdigest()

    def diff(self, other: StreamSpec) -> str:
        """What makes the two streams different, a line per field; empty if they are the same."""
        mine, theirs = self.as_dict(), other.as_dict()
        return "\n".join(f"{name}: {mine[name]!r} != {theirs[name]!r}" for name in mine if mine[name] != theirs[name])

    def __repr__(self) -> str:
        return f"StreamSpec({', '.join(f'{name}={value!r}' for name, value in self.as_dict().items())})"

    def __hash__(self) -> int:
        return hash(self.canonical)

    def __reduce__(self) -> tuple[Any, ...]:
        return (StreamSpec.from_dict, (self.as_dict(),))


def _checked_delta(delta: object) -> float | Mapping[str, float]:
    """One number as it is; a mapping with every group named, so that equal laws are equal specs."""
    if not isinstance(delta, Mapping):
        return _delta("delta", delta)
    if unknown := sorted(map(str, set(delta) - {*GROUPS, REST})):
        raise SpecError(
            f"delta names the group {unknown[0]!r}; the groups are {', '.join(GROUPS)}, and {REST!r} for all others"
        )
    if missing := [group for group in GROUPS if group not in delta and REST not in delta]:
        raise SpecError(f"delta gives no value for {', '.join(missing)}; name them or add {REST!r}")
    full = {group: _delta(f"delta[{group!r}]", delta.get(group, delta.get(REST))) for group in GROUPS}
    return full[GROUPS[0]] if len(set(full.values())) == 1 else MappingProxyType(full)


def _delta(name: str, value: object) -> float:
    number = _real(name, value)
    if not 0.0 <= number <= 10.0:
        raise SpecError(f"{name}={value!r} is out of range; use 0 to 10 (the paper uses 0.01 to 0.5)")
    return number


def _real(name: str, value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) or not isinstance(value, int | float) else float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise SpecError(f"{name}={value!r:.80} is not a finite number")
    return number + 0.0  # -0.0 is 0.0, in the digest, too


def _whole(name: str, value: object, low: int, high: int, unit: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SpecError(f"{name}={value!r} is not a whole number")
    if not low <= value <= high:
        raise SpecError(f"{name}={value!r} is out of range; use {low} to {high} {unit}".rstrip())
