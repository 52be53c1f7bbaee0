"""The modules a patch is made of, and by which names they are plugged into one another. Plain data.

What is plugged into what is checked by `Patch`; which parameters a module has is in `ranges.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from synth_server.patches import ranges

OscillatorKind = Literal["sine", "square-saw", "fm"]

#: The parameters of each kind of oscillator.
TABLES: dict[OscillatorKind, tuple[ranges.Range, ...]] = {
    "sine": ranges.OSCILLATOR,
    "square-saw": ranges.SQUARE_SAW,
    "fm": ranges.FM,
}


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An attack-decay-sustain-release curve, started and let go by a keyboard."""

    name: str
    keyboard: str


@dataclass(frozen=True, kw_only=True)
class Lfo:
    """A slow oscillator; `rate` moves its frequency, `amp` its loudness, both envelopes of their own."""

    name: str
    rate: Envelope
    amp: Envelope

    @classmethod
    def named(cls, name: str, *, keyboard: str) -> Lfo:
        """An LFO whose two envelopes are named after it and follow `keyboard`."""
        return cls(
            name=name,
            rate=Envelope(name=f"{name}_rate_adsr", keyboard=keyboard),
            amp=Envelope(name=f"{name}_amp_adsr", keyboard=keyboard),
        )


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """The modulation matrix: every output is a weighted sum of all inputs (envelopes and LFOs)."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    curve: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Oscillator:
    """A tone at the keyboard's pitch.

    sine, square-saw: the matrix output `pitch` bends the pitch and `amp` shapes the loudness.
    fm: the oscillator `source` (with its loudness already shaped) moves the frequency; it has neither.
    """

    name: str
    kind: OscillatorKind
    keyboard: str
    pitch: str | None = None
    amp: str | None = None
    source: str | None = None


@dataclass(frozen=True, kw_only=True)
class Noise:
    """White noise, its loudness shaped by the matrix output `amp`. It has no parameter of its own."""

    name: str
    amp: str


@dataclass(frozen=True, kw_only=True)
class Mixer:
    """The sum of `inputs` (oscillators and noise), each with a level; one curve per level."""

    name: str
    inputs: tuple[str, ...]
    curves: tuple[float, ...]
