"""The formulas of the audio rate: one sample of an oscillator. How far its phase steps, and what it then sounds like.

A step is a whole number of 2**-32 turns, so that phases add up exactly in any order. An error of the step adds up
too, so the base pitch comes in two float32, `high` and `low`, and only what differs from it is rounded.
"""

from __future__ import annotations

from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import (
    Float,
    Word,
    bits,
    exp2_rest,
    exponential,
    f32,
    i32,
    nearest,
    sine,
    squashed,
    u32,
)


@shared
def clamped(octaves: Float, lowest: Float, highest: Float) -> Float:
    """Octaves above the base, held between those of MIDI 0 and 127. Exact."""
    p = octaves if octaves > lowest else lowest
    return p if p < highest else highest


@shared
def bent_step(octaves: Float, high: Float, low: Float, most: Word) -> Word:
    """The step of a pitch `octaves` above the base, already clamped.

    `high` + `low` is the step at the base in units of 2**-32 turns, `most` that of MIDI 127. Relative error below
    1e-7 * (1 + |octaves|), and 8 units; exact at the base and at MIDI 127 but for 4 units.
    """
    n = nearest(octaves)
    f = octaves - (n - f32(12582912.0))
    power = exponential(bits(n))
    base = i32(high * f32(0.25) * power)
    rest = i32(power * (high * (f * exp2_rest(f)) + low))
    step = u32(u32(u32(base) << u32(2)) + u32(rest))
    return step if step < most else most


@shared
def fm_step(signal: Float, base: Word, beyond: Float, depth: Float, least: Float, most: Float) -> Word:
    """The step of an FM oscillator whose source is at `signal`, clamped to 0 and the Nyquist frequency.

    `base` is the carrier's step, at most half a turn, and `beyond` what it exceeds that by; `depth` is the deviation.
    Relative error of the deviation below 2e-7, and 1 unit.
    """
    x = beyond + depth * signal
    x = x if x > least else least
    x = x if x < most else most
    return u32(base + u32(i32(x)))


@shared
def driven(phase: Word, partials: Float) -> Float:
    """An overdriven sine as `grown` takes it: `partials` has the factor 2 / ln 2."""
    return partials * sine(phase)


@shared
def lean(phase: Word, shape: Float) -> Float:
    """What makes a square lean over to a saw: 1 + shape * cos."""
    return f32(1) + shape * sine(u32(phase + u32(0x40000000)))


@shared
def square_saw(power: Float, lean: Float) -> Float:
    """The tanh of an overdriven sine times its `lean`; `power` is `grown(driven(…))`.

    Error below 1e-6 + 3e-7 * partials. The factor 1 - shape / 2 is in its level.
    """
    return squashed(power) * lean
