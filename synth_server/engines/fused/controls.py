"""The formulas of the control rate: one sample of an envelope and of an LFO. torchsynth's ADSR and LFO.

What is computed once per sound (slopes instead of times, shares instead of weights) is in `settings.py`.
"""

from __future__ import annotations

from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import Float, Word, f32, flushed, i32, power, signed, sine, u32

#: torchsynth's guard against a power of zero.
EPSILON = f32(1e-6)


@shared
def ramp(t: Float, start: Float, slope: Float, eps: Float) -> Float:
    """0 before `start`, then up to 1: min(1, (max(0, t - start) + 1e-6) * slope + eps). Error below 2e-7."""
    x = t - start
    x = ((x if x > f32(0) else f32(0)) + EPSILON) * slope + eps
    return x if x < f32(1) else f32(1)


@shared
def adsr(
    t: Float, attack: Float, decay: Float, decay_at: Float, decay_eps: Float,
    release: Float, release_at: Float, release_eps: Float, sustain: Float, alpha: Float,
) -> Float:  # fmt: skip
    """An envelope at control sample t, in [0, 1]; attack, decay, release are slopes, 0 with eps 0 if there is none.

    (rise * fall) ** alpha * ((1 - sustain) * decline ** alpha + sustain), error below 1e-5 for
    alpha >= 1. A small power makes much of the 1e-7 that is left where a ramp ends.
    """
    rise = ramp(t, f32(0), attack, EPSILON)
    decline = f32(1) - ramp(t, decay_at, decay, decay_eps)
    fall = f32(1) - ramp(t, release_at, release, release_eps)
    return flushed(power(rise * fall, alpha) * ((f32(1) - sustain) * power(decline, alpha) + sustain))


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
