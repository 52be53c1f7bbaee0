"""Settings: what one sound's theta comes to, once, before its first sample. In float64, kept as float32 and phases.

The curves of the parameters have whole exponents, so a power is a product, and exact in the sense of `scalar.py`.
"""

from __future__ import annotations

import math
from typing import Any

from synth_server.engines.fused.controls import EPSILON
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.jit import loop, shared
from synth_server.engines.fused.room import Room
from synth_server.engines.fused.scalar import Float, exp2_exact, f32, f64, flushed, log2, power, turns, u32
from synth_server.engines.fused.wiring import (
    DEPTH,
    FM,
    KIND,
    LEVEL,
    MIDI,
    NONE,
    PHASE,
    SHAPE,
    SLOT,
    SQUARE_SAW,
    TUNING,
    Wiring,
)

#: tanh(pi / 2 * 12000 / (f log10 f) * sin) as `tones.square_saw` has it, less f and its binary logarithm.
_PARTIALS = f32(12_000.0 * math.pi / (math.log(2.0) * math.log10(2.0)))
_E = f32(math.e)


@shared
def whole_power(x: Float, exponent: Any) -> Float:
    """x ** exponent in float64 for a whole exponent of at least 1; relative error below exponent * 1.2e-16."""
    result = 1.0
    while exponent > 1:
        if exponent & 1:
            result = result * x
        x = x * x
        exponent >>= 1
    return result * x


@loop
def set_human(wiring: Wiring, theta: Any, room: Room) -> None:
    """Theta (P,) to human units."""
    for k in range(len(theta)):
        x = f64(theta[k])
        if wiring.symmetric[k]:
            d = x + x - 1.0
            bent = whole_power(abs(d), wiring.exponent[k])
            x = 0.5 * ((bent if d > 0.0 else -bent) + 1.0)
        else:
            x = whole_power(x, wiring.exponent[k])
        room.human[k] = wiring.minimum[k] + wiring.span[k] * x


@shared
def set_envelope(human: Any, row: Any, rate: Float, c: Any) -> None:
    """One envelope: times to slopes per control sample, cut short by the key as torchsynth cuts them, and levels."""
    key, decay, release = human[row[0]], human[row[2]], human[row[4]]
    attack = min(human[row[1]], key)
    decay = min(max(key - human[row[1]], 0.0), decay)
    c[0] = f32(1.0 / (attack * rate)) if attack > 0.0 else f32(0)
    c[1] = f32(attack * rate)
    c[2] = f32(1.0 / (decay * rate)) if decay > 0.0 else f32(0)
    c[3] = EPSILON if decay > 0.0 else f32(0)
    c[4] = f32(key * rate)
    c[5] = f32(1.0 / (release * rate)) if release > 0.0 else f32(0)
    c[6] = EPSILON if release > 0.0 else f32(0)
    sustain, alpha = f32(human[row[3]]), f32(human[row[5]])
    uncut = power(f32(1) - min(EPSILON * c[5] + c[6], f32(1)), alpha)
    undecayed = power(f32(1) - min(EPSILON * c[2] + c[3], f32(1)), alpha)
    c[7] = ((f32(1) - sustain) * undecayed + sustain) * uncut
    c[8] = (f32(1) - sustain) * uncut
    c[9] = sustain * uncut
    c[10] = sustain if decay > 0.0 else f32(1)
    c[11] = alpha


@loop
def set_envelopes(wiring: Wiring, grid: Grid, room: Room) -> None:
    """All envelopes."""
    for k in range(len(wiring.envelopes)):
        set_envelope(room.human, wiring.envelopes[k], grid.control_rate, room.envelopes[k])


@loop
def set_lfos(wiring: Wiring, room: Room) -> None:
    """Frequency, depth, shares of the shapes and the initial phase."""
    for k in range(len(wiring.lfos)):
        row, c = wiring.lfos[k], room.lfos[k]
        c[0] = f32(room.human[row[0]])
        c[1] = f32(room.human[row[1]])
        room.lfo_phases[k] = turns(room.human[row[2]])
        total = f32(1e-30)
        for i in range(5):
            c[2 + i] = power(f32(room.human[row[3 + i]]), _E)
            total += c[2 + i]
        for i in range(5):
            c[2 + i] = c[2 + i] / total


@loop
def set_oscillators(wiring: Wiring, grid: Grid, room: Room) -> None:
    """Pitches to steps, and levels into the gains of the matrix' rows."""
    human, unit = room.human, 4294967296.0 / grid.sample_rate
    for k in range(len(wiring.oscillators)):
        row, c = wiring.oscillators[k], room.oscillators[k]
        midi, depth = human[row[MIDI]] + human[row[TUNING]], human[row[DEPTH]]
        octaves = (midi - 69.0) / 12.0
        step = 440.0 * exp2_exact(octaves) * unit
        level = human[row[LEVEL]] if row[LEVEL] != NONE else 0.0
        room.levels[k] = f32(level) if row[SLOT] != NONE else f32(1)
        level = 1.0 if row[SLOT] != NONE else level
        room.phases[k] = turns(human[row[PHASE]]) + u32(0x40000000)
        if row[KIND] == FM:
            base = f64(u32(min(step, 2147483648.0)))
            room.bases[k] = u32(base)
            c[0] = f32(step - base)
            c[1] = f32(step * depth)
            c[2] = f32(-base)
            c[3] = f32(2147483648.0 - base)
        else:
            room.bases[k] = u32(440.0 * exp2_exact(58.0 / 12.0) * unit)
            c[0] = f32(-5.75 - octaves)
            c[1] = f32(58.0 / 12.0 - octaves + 1e-6)
            c[2] = f32(step)
            c[3] = f32(step - f64(c[2]))
        if row[KIND] == SQUARE_SAW:
            room.phases[k] = turns(human[row[PHASE]])
            hertz = f32(440.0 * exp2_exact((midi + max(depth, 0.0) - 69.0) / 12.0))
            c[4] = _PARTIALS / (hertz * log2(hertz))
            c[5] = f32(human[row[SHAPE]])
            level = level * (1.0 - 0.5 * human[row[SHAPE]])
        room.gains[2 * k] = flushed(depth / 12.0)
        room.gains[2 * k + 1] = flushed(level)
    room.gains[2 * len(wiring.oscillators)] = flushed(human[wiring.noise[0]] if wiring.noise[0] != NONE else 0.0)
