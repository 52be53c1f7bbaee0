"""The audio rate of one sound, each thread ROWS samples in a row at a time: steps, then samples, as `block.py`.

The order of additions of floats within a sample is that of the CPU. Phases are whole numbers, so any order will do.
A thread's samples of a chunk stand in its column of arrays (ROWS, threads). Rows and segments are uint32: for an index
that might be negative numba looks twice.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.hiss import STRIDE, white
from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import Float, Word, f32, grown, i32, i64, sine, u32
from synth_server.engines.fused.tones import bent_step, clamped, driven, fm_step, lean, square_saw
from synth_server.engines.fused.wiring import SQUARE_SAW


class Line(NamedTuple):
    """A row of the matrix within one segment, at hand in registers."""

    segment: Word
    """Which."""
    start: Any
    """Its first sample."""
    end: Any
    """The sample after its last."""
    place: Float
    """Where in it the first sample lies."""
    value: Float
    """The row's value at its start."""
    slope: Float
    """By how much that changes in it."""


@shared
def line_of(grid: Grid, values: Any, slopes: Any, segment: Word) -> Any:
    """The line of a segment."""
    start = i64(grid.starts[segment])
    return Line(
        segment, start, start + i64(grid.lengths[segment]), grid.first[segment], values[segment], slopes[segment]
    )  # fmt: skip


@shared
def line_for(grid: Grid, values: Any, slopes: Any, line: Any, t: Any) -> Any:
    """The line for sample t, which lies in this segment or a later one."""
    while t >= line.end:
        line = line_of(grid, values, slopes, u32(line.segment + u32(1)))
    return line


@shared
def along(grid: Grid, line: Any, t: Any) -> Float:
    """The line at sample t of its segment."""
    return line.value + (line.place + f32(i32(t - line.start)) * grid.step) * line.slope


@shared
def hiss_share(
    grid: Grid, values: Any, slopes: Any, first: Any, count: Any, segment: Word,
    start: Word, salt: Word, noise: Any, mix: Any, thread: Any,
) -> None:  # fmt: skip
    """`count` samples from `first` on of the noise, given or from the hash, to the mix, whatever was there."""
    line = line_of(grid, values, slopes, segment)
    for row in range(count):
        t = first + row
        line = line_for(grid, values, slopes, line, t)
        x = noise[t] if len(noise) else white(u32(start + u32(u32(t) * STRIDE)), salt)
        mix[u32(row), thread] = x * along(grid, line, t)


@shared
def bent_share(
    grid: Grid, values: Any, slopes: Any, c: Any, most: Word, first: Any, count: Any, segment: Word,
    turns: Any, thread: Any,
) -> Word:  # fmt: skip
    """How far an oscillator bent by a line turns up to each of these samples, to `turns`. Returns how far in all."""
    turned, lowest, highest, high, low = u32(0), c[0], c[1], c[2], c[3]
    line = line_of(grid, values, slopes, segment)
    for row in range(count):
        t = first + row
        line = line_for(grid, values, slopes, line, t)
        octaves = clamped(along(grid, line, t), lowest, highest)
        step = bent_step(octaves, high, low, most)
        turned = u32(turned + step)
        turns[u32(row), thread] = turned
    return turned


@shared
def fm_share(source: Any, c: Any, base: Word, count: Any, turns: Any, thread: Any) -> Word:
    """How far an oscillator moved by `source` (ROWS, threads) turns, as `bent_share`."""
    turned, beyond, depth, least, most = u32(0), c[0], c[1], c[2], c[3]
    for row in range(count):
        turned = u32(turned + fm_step(source[u32(row), thread], base, beyond, depth, least, most))
        turns[u32(row), thread] = turned
    return turned


@shared
def tone_share(
    grid: Grid, values: Any, slopes: Any, kind: Any, c: Any, level: Float, first: Any, count: Any, segment: Word,
    phase: Word, turns: Any, mix: Any, kept: Any, thread: Any,
) -> None:  # fmt: skip
    """These samples of an oscillator, from a phase: at its level to the mix, and to `kept` (ROWS or none, threads)."""
    partials, shape, keeps = c[4], c[5], len(kept) > 0
    line = line_of(grid, values, slopes, segment)
    for row in range(count):
        t = first + row
        line = line_for(grid, values, slopes, line, t)
        at = u32(phase + turns[u32(row), thread])
        wave = square_saw(grown(driven(at, partials)), lean(at, shape)) if kind == SQUARE_SAW else sine(at)
        x = wave * along(grid, line, t)
        mix[u32(row), thread] = mix[u32(row), thread] + level * x
        if keeps:
            kept[u32(row), thread] = x
