"""The parameters that each kind of module has: torchsynth 1.0.2's ranges, names and order, as tables.

SynthAX has the same ranges. The groups are ours: they decide which delta of a stream perturbs what.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from synth_server.patches.parameter import Parameter


class Range(NamedTuple):
    """A row of the tables below: a parameter before it belongs to a module."""

    name: str
    minimum: float
    maximum: float
    curve: float
    group: str
    unit: str
    description: str
    symmetric: bool = False

    def of(self, module: str) -> Parameter:
        """This range as a parameter of `module`."""
        return Parameter(module=module, **self._asdict())


KEYBOARD = (
    Range("midi_f0", 0.0, 127.0, 1.0, "pitch", "semitones", "pitch of the note, 69 is 440 Hz"),
    Range("duration", 0.01, 4.0, 0.5, "envelope", "seconds", "how long the key is held"),
)

ENVELOPE = (
    Range("attack", 0.0, 2.0, 0.5, "envelope", "seconds", "time from silence to the peak"),
    Range("decay", 0.0, 2.0, 0.5, "envelope", "seconds", "time from the peak to the sustain level"),
    Range("sustain", 0.0, 1.0, 1.0, "envelope", "", "level while the key is held after the decay"),
    Range("release", 0.0, 5.0, 0.5, "envelope", "seconds", "time from letting go of the key to silence"),
    Range("alpha", 0.1, 6.0, 1.0, "envelope", "", "bend of the ramps, 1 is straight"),
)

LFO_SHAPES = ("sin", "tri", "saw", "rsaw", "sqr")

LFO = (
    Range("frequency", 0.0, 20.0, 0.25, "lfo", "hertz", "how fast it swings"),
    Range("mod_depth", -10.0, 20.0, 0.5, "lfo", "hertz", "how far its rate envelope moves the frequency", True),
    Range("initial_phase", -math.pi, math.pi, 1.0, "lfo", "radians", "where it starts"),
    *(Range(shape, 0.0, 1.0, 1.0, "lfo", "", f"weight of the {shape} shape") for shape in LFO_SHAPES),
)

OSCILLATOR = (
    Range("tuning", -24.0, 24.0, 1.0, "pitch", "semitones", "detuning from the keyboard"),
    Range("mod_depth", -96.0, 96.0, 0.2, "modulation", "semitones", "depth of the pitch modulation", True),
    Range("initial_phase", -math.pi, math.pi, 1.0, "oscillator", "radians", "where the waveform starts"),
)

FM = (
    OSCILLATOR[0],
    OSCILLATOR[1]._replace(unit="", description="modulation index: deviation in multiples of the carrier"),
    OSCILLATOR[2],
)

SQUARE_SAW = (*OSCILLATOR, Range("shape", 0.0, 1.0, 1.0, "oscillator", "", "waveform, 0 is square and 1 is saw"))


def matrix(inputs: tuple[str, ...], outputs: tuple[str, ...], curve: float) -> Iterator[Range]:
    """The modulation matrix: one weight per input and output, input by input."""
    for source in inputs:
        for target in outputs:
            yield Range(f"{source}->{target}", 0.0, 1.0, curve, "modulation", "", f"how much {source} moves {target}")


def mixer(inputs: tuple[str, ...], curves: tuple[float, ...]) -> Iterator[Range]:
    """The mixer: one level per input."""
    for name, curve in zip(inputs, curves, strict=True):
        yield Range(name, 0.0, 1.0, curve, "mix", "", f"level of {name}")
