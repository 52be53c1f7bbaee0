"""Block: LANES segments side by side, as rows of LANES numbers in one array of bits. What is done to whole blocks.

One flat uint32 array with places known at compile time, and inner loops of exactly LANES steps: so LLVM can see that
nothing overlaps, and each inner loop becomes one vector instruction after the other. What is read from other arrays
is copied to the head of the block first.

    head: PLACES, LENGTHS, VALUES, SLOPES   one row each
    SIGNAL: the oscillator at work: its steps, then its phases, then its samples   up to LONGEST + 1 rows
    MIX: the sum of all that is heard                                              up to LONGEST + 1 rows
"""

from __future__ import annotations

from typing import Any

from synth_server.engines.fused.grid import LANES, LONGEST
from synth_server.engines.fused.hiss import STRIDE, white
from synth_server.engines.fused.jit import loop, shared
from synth_server.engines.fused.scalar import Float, bits, f32, i32, real, sine, u32
from synth_server.engines.fused.tones import bent_step, fm_step, square_saw

PLACES, LENGTHS, VALUES, SLOPES, BEFORE = 0, LANES, 2 * LANES, 3 * LANES, 4 * LANES
SIGNAL = 5 * LANES
MIX = SIGNAL + LANES * (LONGEST + 1)
SIZE = MIX + LANES * (LONGEST + 1)


@shared
def place(row: Any) -> Any:
    """Where a row starts in SIGNAL or MIX. The mask tells LLVM that it is neither negative nor far away."""
    return (row & 127) * LANES


@shared
def line_at(work: Any, lane: Any, along: Float) -> Float:
    """The line of a lane, `along` after its first sample."""
    return real(work[VALUES + lane]) + (real(work[PLACES + lane]) + along) * real(work[SLOPES + lane])


@shared
def advance(x: Any, row: Any, i: Any, work: Any, lane: Any) -> None:
    """The phase of a lane x further, unless its segment has no such sample; kept in BEFORE and SIGNAL."""
    phase = u32(work[BEFORE + lane] + (x if u32(row) < work[LENGTHS + lane] else u32(0)))
    work[BEFORE + lane] = phase
    work[SIGNAL + i + lane] = phase


@shared
def put(x: Float, level: Float, i: Any, work: Any, lane: Any) -> None:
    """A sample to SIGNAL, and at its level to MIX."""
    work[SIGNAL + i + lane] = bits(x)
    work[MIX + i + lane] = bits(real(work[MIX + i + lane]) + level * x)


@loop
def hiss_rows(rows: Any, start: Any, salt: Any, step: Any, work: Any) -> None:
    """Noise from the hash, its loudness a line, to MIX, whatever was there."""
    for row in range(rows):
        i, along, counter = place(row), f32(i32(row)) * step, u32(start + u32(u32(row) * STRIDE))
        for lane in range(LANES):
            x = white(u32(counter + work[BEFORE + lane]), salt)
            work[MIX + i + lane] = bits(x * line_at(work, lane, along))


@loop
def given_rows(rows: Any, step: Any, work: Any) -> None:
    """Noise that stands in SIGNAL, its loudness a line, to MIX, whatever was there."""
    for row in range(rows):
        i, along = place(row), f32(i32(row)) * step
        for lane in range(LANES):
            work[MIX + i + lane] = bits(real(work[SIGNAL + i + lane]) * line_at(work, lane, along))


@loop
def bent_rows(rows: Any, c: Any, k: Any, most: Any, step: Any, work: Any) -> None:
    """Phases, from 0 in each lane, of an oscillator whose pitch is bent by a line."""
    lowest, highest, high, low = c[k, 0], c[k, 1], c[k, 2], c[k, 3]
    for lane in range(LANES):
        work[BEFORE + lane] = u32(0)
    for row in range(rows):
        i, along = place(row), f32(i32(row)) * step
        for lane in range(LANES):
            x = bent_step(line_at(work, lane, along), lowest, highest, high, low, most)
            advance(x, row, i, work, lane)


@loop
def fm_rows(rows: Any, c: Any, k: Any, base: Any, work: Any) -> None:
    """Phases, from 0 in each lane, of an oscillator moved by the samples in SIGNAL, which they replace."""
    beyond, depth, least, most = c[k, 0], c[k, 1], c[k, 2], c[k, 3]
    for lane in range(LANES):
        work[BEFORE + lane] = u32(0)
    lanes = min(LANES, len(work))  # LLVM may not know that these are 16, or it would unroll the loop
    for row in range(rows):
        i = place(row)
        for lane in range(lanes):
            advance(fm_step(real(work[SIGNAL + i + lane]), base, beyond, depth, least, most), row, i, work, lane)


@loop
def line_up(phase: Any, work: Any) -> Any:
    """BEFORE from how far each lane went to where it starts. Returns the phase after the last."""
    for lane in range(LANES):
        start = phase
        phase = u32(phase + work[BEFORE + lane])
        work[BEFORE + lane] = start
    return phase


@loop
def sine_rows(rows: Any, level: Any, step: Any, work: Any) -> None:
    """Phases to a sine whose loudness is a line."""
    for row in range(rows):
        i, along = place(row), f32(i32(row)) * step
        for lane in range(LANES):
            x = sine(u32(work[SIGNAL + i + lane] + work[BEFORE + lane]))
            put(x * line_at(work, lane, along), level, i, work, lane)


@loop
def square_saw_rows(rows: Any, level: Any, c: Any, k: Any, step: Any, work: Any) -> None:
    """Phases to a square-saw whose loudness is a line."""
    partials, shape = c[k, 4], c[k, 5]
    for row in range(rows):
        i, along = place(row), f32(i32(row)) * step
        for lane in range(LANES):
            x = square_saw(u32(work[SIGNAL + i + lane] + work[BEFORE + lane]), partials, shape)
            put(x * line_at(work, lane, along), level, i, work, lane)
