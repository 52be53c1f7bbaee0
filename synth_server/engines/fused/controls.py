"""The formulas of the control rate: one sample of an envelope and of an LFO. torchsynth's ADSR and LFO.

What is computed once per sound (slopes instead of times, shares instead of weights) is in `settings.py`.
"""

from __future__ import annotations

from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import Float, Word, f32, flushed, i32, signed, sine, u32

#: torchsynth's guard against a power of zero.
EPSILON = f32(1e-6)


@shared
def ramp(
    t: Float, attack: Float, peak_at: Float, decay: Float, decay_eps: Float, key_at: Float, release: Float,
    release_eps: Float,
) -> Float:  # fmt: skip
    """An envelope's ramp at control sample t, in [0, 1]: up until `peak_at`, down from there, and down from `key_at`.

    attack, decay and release are slopes; decay and release are 0, and their eps too, where there is no such stage.
    Error below 4e-7.
    """
    began, fell = t >= peak_at, t >= key_at
    slope = release if fell else decay if began else attack
    eps = release_eps if fell else decay_eps if began else EPSILON
    start = key_at if fell else peak_at if began else f32(0)
    x = (t - start + EPSILON) * slope + eps
    x = x if x < f32(1) else f32(1)
    return f32(1) - x if began | fell else x


@shared
def adsr(
    t: Float, bent: Float, peak_at: Float, key_at: Float, peak: Float, above: Float, sustain: Float, held: Float
) -> Float:
    """An envelope at control sample t, in [0, 1], where `bent` is its ramp to the power of alpha:

        peak * rise ** alpha | above * decline ** alpha + sustain | held * fall ** alpha

    torchsynth multiplies three ramps, of which only one moves at a time; what the others are meanwhile, nearly 1, is
    in the levels. With x the ramp, error below 2e-6 + 1e-6 * alpha * x ** (alpha - 1): a small power makes much of
    the 1e-7 left at a ramp's end.
    """
    began, fell = t >= peak_at, t >= key_at
    scale = held if fell else above if began else peak
    floor = f32(0) if fell else sustain if began else f32(0)
    return flushed(scale * bent + floor)


@shared
def lfo_step(frequency: Float, depth: Float, rate: Float, per_hertz: Float) -> Word:
    """How far an LFO turns in one control sample; whole turns are dropped, so any control rate will do."""
    hertz = frequency + depth * rate
    t = (hertz if hertz > f32(0) else f32(0)) * per_hertz
    t = t - f32(i32(t))
    return u32(u32(i32(t * f32(2.0**31))) << u32(1))


@shared
def lfo_shape(phase: Word, sin: Float, tri: Float, saw: Float, rsaw: Float, sqr: Float) -> Float:
    """The five shapes mixed by their shares, in [0, 1] if they add up to 1. Error below 1e-6 but at the jumps."""
    c = -sine(u32(phase + u32(0x40000000)))
    up = f32(signed(u32(phase >> u32(8)))) * f32(2.0**-24)
    peak = up + up
    peak = f32(2) - peak if peak > f32(1) else peak
    square = sqr if c > f32(0) else f32(0)
    return sin * (c + f32(1)) * f32(0.5) + tri * peak + saw * up + rsaw * (f32(1) - up) + square
