"""The mathematics of a sample: exp2, log2, power, sine, tanh, from + - * / and integer steps only.

Each of these operations is exactly rounded by IEEE 754, or exact, so a function gives the same bits on every
processor. No libm, no SVML. Every constant is wrapped in its type, or numba would widen the whole expression to
64 bits; `view` reads the bits of a number as another type. Phases are uint32: 2**32 is one turn, and wraps for free.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from synth_server.engines.fused.jit import shared

#: What a scalar is depends on who runs the function: a machine's register, or NumPy's scalar in a simulator.
Float = Any
Word = Any

f32, f64, i32, u32, i64, u64 = np.float32, np.float64, np.int32, np.uint32, np.int64, np.uint64

_LN2 = math.log(2.0)
_TURNS = 2.0**32 / (2.0 * math.pi)


@shared
def bits(x: Float) -> Word:
    """The bits of a float32 as uint32."""
    return f32(x).view(u32)


@shared
def real(word: Word) -> Float:
    """The float32 with these bits."""
    return u32(word).view(f32)


@shared
def signed(word: Word) -> Word:
    """The int32 with the same bits."""
    return u32(word).view(i32)


@shared
def nearest(x: Float) -> Float:
    """|x| < 2**22 plus 1.5 * 2**23: the nearest whole number stands in the low bits of the mantissa."""
    return x + f32(12582912.0)


@shared
def exponential(magic: Word) -> Float:
    """2**n, where `magic` is the bits of `nearest` of n, -126 <= n <= 127."""
    return real(u32(u32(magic << u32(23)) + u32(0x3F800000)))


@shared
def exp2_rest(f: Float) -> Float:
    """(2**f - 1) / f for |f| <= 1/2; relative error below 1.5e-7."""
    q = f * f
    low = f32(6.93147206e-1) + f * f32(2.40226469e-1)
    middle = f32(5.55032878e-2) + f * f32(9.61848896e-3)
    high = f32(1.33999312e-3) + f * f32(1.53458116e-4)
    return low + q * (middle + q * high)


@shared
def exp2(x: Float) -> Float:
    """2**x for |x| <= 126; relative error below 2e-7."""
    n = nearest(x)
    f = x - (n - f32(12582912.0))
    return (f32(1) + f * exp2_rest(f)) * exponential(bits(n))


@shared
def exp2_exact(x: Float) -> Float:
    """2**x in float64 for |x| < 60; relative error below 1e-15. For what is computed once per sound."""
    whole = i64(x + 64.5) - 64
    z = (x - f64(whole)) * _LN2
    p = 1.0
    for k in range(13, 0, -1):
        p = 1.0 + z * p / f64(k)
    return p * f64(exp2(f32(whole)))


@shared
def log2(x: Float) -> Float:
    """Base-2 logarithm of a normal float32 x > 0; error below 2e-7 * max(1, |log2 x|)."""
    i = u32(bits(x) - u32(0x3F3504F3))  # then the mantissa is in [sqrt(1/2), sqrt(2))
    m = real(u32(u32(i & u32(0x7FFFFF)) + u32(0x3F3504F3)))
    z = (m - f32(1)) / (m + f32(1))
    q = z * z
    p = (f32(2.88539007) + q * f32(0.96180076)) + (q * q) * (f32(0.57658454) + q * f32(0.43425594))
    return f32(i32(signed(i) >> i32(23))) + z * p


@shared
def log2_of_share(x: Float) -> Float:
    """`log2` for x in [0, 1]; -10,000 stands for the logarithm of 0."""
    return log2(x) if x > f32(0) else f32(-1e4)


@shared
def exp2_or_zero(q: Float) -> Float:
    """`exp2` for q <= 126; 0 below 2**-60."""
    e = exp2(q if q > f32(-60) else f32(-60))
    return e if q > f32(-60) else f32(0)


@shared
def power(x: Float, y: Float) -> Float:
    """x ** y for x in [0, 1], y >= 0.01; relative error below 2e-7 * (2 + |y log2 x|), results below 2**-60 are 0."""
    return exp2_or_zero(y * log2_of_share(x))


@shared
def flushed(x: Float) -> Float:
    """x as float32, and 0 below 2**-60 in size: products of such numbers would be subnormal.

    Those are slow, and a thread may be set to flush them to 0, which would be another sound."""
    y = f32(x)
    return y if abs(y) > f32(2.0**-60) else f32(0)


@shared
def sine(phase: Word) -> Float:
    """The sine of a phase (2**32 is one turn); error below 3e-7, never above 1 in size."""
    t = f32(signed(phase)) * f32(2.0**-31)  # half turns in [-1, 1]
    s = t * (f32(1) - abs(t))
    a = abs(s)
    low, high = f32(3.14158603) + a * f32(3.14184885), f32(1.11239578) + a * f32(0.21931564)
    return s * (low + (a * a) * high)


@shared
def grown(y: Float) -> Float:
    """e ** (2 x) for `squashed`, where y = x * 2 / ln(2) and |y| is cut at 26: beyond, tanh is 1."""
    y = y if y > f32(-26) else f32(-26)
    return exp2(y if y < f32(26) else f32(26))


@shared
def squashed(power: Float) -> Float:
    """tanh(x) from e ** (2 x). Error of both together below 3e-7."""
    return f32(1) - f32(2) / (power + f32(1))


@shared
def half(x: Float) -> Word:
    """The bits of the float16 nearest to x, for |x| <= 1; ties to even, as IEEE 754 has it. In the low 16 bits."""
    size = bits(abs(x))
    even = u32(u32(size >> u32(13)) & u32(1))
    normal = u32(u32(u32(size + u32(0xFFF)) + even) >> u32(13)) - u32(112 << 10)
    tiny = u32(bits(abs(x) + f32(0.5)) - u32(0x3F000000))  # near 1/2 a float32 has steps of 2**-24, as tiny halves have
    sign = u32(u32(bits(x) >> u32(16)) & u32(0x8000))
    return u32(sign | (normal if size >= u32(0x38800000) else tiny))


@shared
def turns(radians: Float) -> Word:
    """Radians (float64, below 2**30 in size) to a phase; error below one unit of 2**-32 turns, plus the rounding."""
    return u32(i64(radians * _TURNS))
