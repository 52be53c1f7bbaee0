"""The noise of `synth_server.noise`, bit for bit, one sample at a time. A test holds the two together.

That module makes whole arrays with torch; this one needs neither, so that the kernels make sample t where they need it.
"""

from __future__ import annotations

from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import Float, Word, f32, i32, signed, u32

STRIDE = u32(0x9E3779B9)
_FIRST, _SECOND = u32(0x7FEB352D), u32(0x846CA68B)


@shared
def first_round(x: Word) -> Word:
    """One round of the hash."""
    return u32(u32(x ^ u32(x >> u32(16))) * _FIRST)


@shared
def second_round(x: Word) -> Word:
    """The other round of the hash."""
    return u32(u32(x ^ u32(x >> u32(15))) * _SECOND)


@shared
def mixed(x: Word) -> Word:
    """Three rounds, one to one: what a key is mixed with."""
    return first_round(second_round(first_round(x)))


@shared
def salt_of(low: Word, high: Word) -> Word:
    """The second of the two words made of a key's halves."""
    return mixed(u32(high ^ mixed(u32(low + STRIDE))))


@shared
def start_of(low: Word, high: Word) -> Word:
    """The first of the two words made of a key's halves: where its counter starts."""
    return mixed(u32(mixed(u32(low + STRIDE)) + salt_of(low, high)))


@shared
def white(counter: Word, salt: Word) -> Float:
    """Noise at `counter` = start + t * STRIDE: exact, in [-1, 1), a multiple of 2**-23."""
    x = second_round(u32(first_round(counter) ^ salt))
    return f32(i32(signed(x) >> i32(8))) * f32(2.0**-23)
