"""Block: LANES segments side by side, as rows of LANES numbers in one array of bits. What is done to whole blocks.

One flat uint32 array with places known at compile time, and inner loops of exactly LANES steps: so LLVM can see that
nothing overlaps, and each inner loop becomes one vector instruction after the other. What is read from other arrays
is copied to the head of the block first. Each loop does little: an instruction waits for the one before it, and a
processor looks ahead only so far for a row that need not wait.

    head: #: The longest segment and one sample more, in whole tiles.
ROWS = -(-(LONGEST + 1) // TILE) * TILE

PLACES, LENGTHS, VALUES, SLOPES, BEFORE   one row each
    SIGNAL: the oscillator at work: its pitch, its steps, its phases, then its samples   ROWS rows
    ASIDE: what it needs beside them                                                     ROWS rows
    MIX: the sum of all that is heard                                                    ROWS rows
"""

from __future__ import annotations

from typing import Any

from synth_server.engines.fused.grid import LANES, LONGEST
from synth_server.engines.fused.hiss import STRIDE, white
from synth_server.engines.fused.jit import loop, shared
from synth_server.engines.fused.scalar import Float, bits, f32, grown, i32, i64, real, sine, u32
from synth_server.engines.fused.tile import TILE, transpose
from synth_server.engines.fused.tones import bent_step, clamped, driven, fm_step, lean, square_saw

#: The longest segment and one sample more, in whole tiles.
ROWS = -(-(LONGEST + 1) // TILE) * TILE

PLACES, LENGTHS, VALUES, SLOPES, BEFORE = 0, LANES, 2 * LANES, 3 * LANES, 4 * LANES
SIGNAL = 5 * LANES
ASIDE = SIGNAL + LANES * ROWS
MIX = ASIDE + LANES * ROWS
SIZE = MIX + LANES * ROWS


@shared
def place(row: Any) -> Any:
    """Where a row starts in SIGNAL or MIX. The mask tells LLVM that it is neither negative nor far away."""
    return (row & 127) * LANES


@shared
def line_at(work: Any, lane: Any, along: Float) -> Float:
    """The line of a lane, `along` after its first sample."""
    return real(work[VALUES + lane]) + (real(work[PLACES + lane]) + along) * real(work[SLOPES + lane])


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
def pitch_rows(rows: Any, c: Any, k: Any, step: Any, work: Any) -> None:
    """The pitch of an oscillator that a line bends, in octaves, to SIGNAL."""
    lowest, highest = c[k, 0], c[k, 1]
    for row in range(rows):
        i, along = place(row), f32(i32(row)) * step
        for lane in range(LANES):
            work[SIGNAL + i + lane] = bits(clamped(line_at(work, lane, along), lowest, highest))


@loop
def bent_rows(rows: Any, c: Any, k: Any, most: Any, work: Any) -> None:
    """Pitches to steps."""
    high, low = c[k, 2], c[k, 3]
    for row in range(rows):
        i = place(row)
        for lane in range(LANES):
            work[SIGNAL + i + lane] = bent_step(real(work[SIGNAL + i + lane]), high, low, most)


@loop
def fm_rows(rows: Any, c: Any, k: Any, base: Any, work: Any) -> None:
    """The samples of the source to the steps of an FM oscillator."""
    beyond, depth, least, most = c[k, 0], c[k, 1], c[k, 2], c[k, 3]
    for row in range(rows):
        i = place(row)
        for lane in range(LANES):
            work[SIGNAL + i + lane] = fm_step(real(work[SIGNAL + i + lane]), base, beyond, depth, least, most)


@loop
def add_up(rows: Any, work: Any) -> None:
    """Steps to phases, from 0 in each lane. A lane whose segment has no such sample stays where it is."""
    for lane in range(LANES):
        work[BEFORE + lane] = u32(0)
    for row in range(rows):
        i = place(row)
        for lane in range(LANES):
            step = work[SIGNAL + i + lane] if u32(row) < work[LENGTHS + lane] else u32(0)
            phase = u32(work[BEFORE + lane] + step)
            work[BEFORE + lane] = phase
            work[SIGNAL + i + lane] = phase


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
def drive_rows(rows: Any, c: Any, k: Any, work: Any) -> None:
    """Phases to overdriven sines, and to ASIDE what makes them lean."""
    partials, shape = c[k, 4], c[k, 5]
    for row in range(rows):
        i = place(row)
        for lane in range(LANES):
            phase = u32(work[SIGNAL + i + lane] + work[BEFORE + lane])
            work[ASIDE + i + lane] = bits(lean(phase, shape))
            work[SIGNAL + i + lane] = bits(driven(phase, partials))


@loop
def grow_rows(rows: Any, work: Any) -> None:
    """Overdriven sines to the powers of which their tanh is made."""
    for row in range(rows):
        i = place(row)
        for lane in range(LANES):
            work[SIGNAL + i + lane] = bits(grown(real(work[SIGNAL + i + lane])))


@loop
def square_saw_rows(rows: Any, level: Any, step: Any, work: Any) -> None:
    """Those powers to a square-saw whose loudness is a line."""
    for row in range(rows):
        i, along = place(row), f32(i32(row)) * step
        for lane in range(LANES):
            x = square_saw(real(work[SIGNAL + i + lane]), real(work[ASIDE + i + lane]))
            put(x * line_at(work, lane, along), level, i, work, lane)


@loop
def turn(rows: Any, across: Any, along: Any, work: Any) -> None:
    """Rows of lanes at `across` to lanes of rows at `along`: sample w of a lane is at along + lane * ROWS + w."""
    for row in range(0, rows, TILE):
        for lane in range(0, LANES, TILE):
            transpose(work, i64(across + place(row) + lane), i64(LANES), i64(along + lane * ROWS + row), i64(ROWS))


@loop
def turn_back(rows: Any, along: Any, across: Any, work: Any) -> None:
    """The inverse of `turn`."""
    for row in range(0, rows, TILE):
        for lane in range(0, LANES, TILE):
            transpose(work, i64(along + lane * ROWS + row), i64(ROWS), i64(across + place(row) + lane), i64(LANES))
