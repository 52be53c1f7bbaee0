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
    tanh,
    u32,
)


@shared
def bent_step(octaves: Float, lowest: Float, highest: Float, high: Float, low: Float, most: Word) -> Word:
    """The step of a pitch `octaves` above the base, clamped to MIDI 0 and 127.

    `high` + `low` is the step at the base in units of 2**-32 turns, `most` that of MIDI 127. Relative error below
    1e-7 * (1 + |octaves|), and 8 units; exact at the base and at MIDI 127 but for 4 units.
    """
    p = octaves if octaves > lowest else lowest
    p = p if p < highest else highest
    n = nearest(p)
    f = p - (n - f32(12582912.0))
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
def square_saw(phase: Word, partials: Float, shape: Float) -> Float:
    """tanh of an overdriven sine, leaning over to a saw; without the factor 1 - shape / 2, which is in its level.

    Error below 1e-6 + 3e-7 * partials, where `partials` has the factor 2 / ln 2 that `tanh` leaves out.
    """
    return tanh(partials * sine(phase)) * (f32(1) + shape * sine(u32(phase + u32(0x40000000))))
