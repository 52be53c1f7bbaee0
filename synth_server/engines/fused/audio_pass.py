"""The audio pass: one sound from its settings and lines to samples, one block of LANES segments after the other.

What a segment's phase starts from is the sum of the steps in all before it, which is exact, so the lanes need not
wait for one another. What is done to a block is in `block.py`.
"""

from __future__ import annotations

from typing import Any

from synth_server.engines.fused import block
from synth_server.engines.fused.grid import LANES, Grid
from synth_server.engines.fused.hiss import STRIDE
from synth_server.engines.fused.jit import loop, shared
from synth_server.engines.fused.room import Room
from synth_server.engines.fused.scalar import bits, f32, half, i32, i64, real, signed, u32
from synth_server.engines.fused.tile import TILE, copy_row
from synth_server.engines.fused.wiring import FM, KIND, NONE, SLOT, SOURCE, SQUARE_SAW, Wiring


@loop
def audio_pass(
    wiring: Wiring, grid: Grid, room: Room, start: Any, salt: Any, noise: Any, audio: Any, halves: Any
) -> None:
    """One sound into `audio` or `halves` (T,), whichever is not empty; its noise is `noise` (T,), or that of a key.

    The arrays are taken out of their tuples once and handed on whole: numba counts references to each slice.
    """
    starts, lengths, places, step = grid.starts, grid.lengths, grid.first, grid.step
    table, settings, bases, phases, levels = wiring.oscillators, room.oscillators, room.bases, room.phases, room.levels
    values, slopes, work, slots, sound = room.values, room.slopes, room.work, room.slots, room.sound
    for first in range(0, len(starts), LANES):
        rows = open_block(places, lengths, first, work)
        load_line(values, slopes, 2 * len(table), first, work)
        if len(noise):
            gather(rows, starts, lengths, first, noise, work)
            block.given_rows(rows, step, work)
        else:
            load_counters(starts, first, work)
            block.hiss_rows(rows, start, salt, step, work)
        for k in range(len(table)):
            if table[k, KIND] == FM:
                from_slot(rows, slots, table[k, SOURCE], work)
                block.fm_rows(rows, settings, k, bases[k], work)
            else:
                load_line(values, slopes, 2 * k, first, work)
                block.pitch_rows(rows, settings, k, step, work)
                block.bent_rows(rows, settings, k, bases[k], work)
            block.add_up(rows, work)
            phases[k] = block.line_up(phases[k], work)
            load_line(values, slopes, 2 * k + 1, first, work)
            if table[k, KIND] == SQUARE_SAW:
                block.drive_rows(rows, settings, k, work)
                block.grow_rows(rows, work)
                block.square_saw_rows(rows, levels[k], step, work)
            else:
                block.sine_rows(rows, levels[k], step, work)
            if table[k, SLOT] != NONE:
                to_slot(rows, slots, table[k, SLOT], work)
        scatter(rows, starts, first, work, sound)
    peak = peak_of(sound, grid.samples)
    if len(halves):
        write_halves(sound, peak, halves)
    else:
        write(sound, peak, audio)


@shared
def open_block(places: Any, lengths: Any, first: Any, work: Any) -> Any:
    """The head of a block. Returns its rows: the samples of its longest segment."""
    rows = i32(0)
    for lane in range(LANES):
        work[block.PLACES + lane] = bits(places[first + lane])
        work[block.LENGTHS + lane] = u32(lengths[first + lane])
        rows = max(rows, lengths[first + lane])
    return i64(rows)


@shared
def load_line(values: Any, slopes: Any, row: Any, first: Any, work: Any) -> None:
    """An output of the matrix to the head of the block."""
    for lane in range(LANES):
        work[block.VALUES + lane] = bits(values[row, first + lane])
        work[block.SLOPES + lane] = bits(slopes[row, first + lane])


@shared
def load_counters(starts: Any, first: Any, work: Any) -> None:
    """The noise's counters at the start of each segment to the head of the block."""
    for lane in range(LANES):
        work[block.BEFORE + lane] = u32(u32(starts[first + lane]) * STRIDE)


@shared
def from_slot(rows: Any, slots: Any, slot: Any, work: Any) -> None:
    """The samples of an oscillator that moves another, to SIGNAL."""
    for i in range(rows * LANES):
        work[block.SIGNAL + i] = slots[slot, i]


@shared
def to_slot(rows: Any, slots: Any, slot: Any, work: Any) -> None:
    """SIGNAL to where it is kept for those that it moves."""
    for i in range(rows * LANES):
        slots[slot, i] = work[block.SIGNAL + i]


@loop
def gather(rows: Any, starts: Any, lengths: Any, first: Any, noise: Any, work: Any) -> None:
    """Samples (T,) to the lanes of SIGNAL; whatever was there where a segment has no such sample."""
    for lane in range(LANES):
        start, aside, length = i64(starts[first + lane]), block.ASIDE + lane * block.ROWS, i64(lengths[first + lane])
        whole = length & -TILE
        for w in range(0, whole, TILE):
            copy_row(noise, start + w, work, aside + w)
        for w in range(whole, length):
            work[aside + w] = bits(noise[start + w])
    block.turn_back(rows, block.ASIDE, block.SIGNAL, work)


@loop
def scatter(rows: Any, starts: Any, first: Any, work: Any, sound: Any) -> None:
    """The lanes of MIX to samples (T + ROWS,). What a lane writes beyond its segment the next lane writes anew."""
    block.turn(rows, block.MIX, block.ASIDE, work)
    for lane in range(LANES):
        start, aside = i64(starts[first + lane]), block.ASIDE + lane * block.ROWS
        for w in range(0, rows, TILE):
            copy_row(work, aside + w, sound, start + w)


@loop
def peak_of(sound: Any, samples: Any) -> Any:
    """The peak, or 1 if that is more. A maximum of whole numbers, the same in any order."""
    peak = i32(0x3F800000)
    for t in range(samples):
        peak = max(peak, signed(bits(abs(sound[t]))))
    return real(u32(peak))


@loop
def write(sound: Any, peak: Any, audio: Any) -> None:
    """Samples to float32 (T,), scaled to a peak of 1 if it is more."""
    if peak > f32(1):
        for t in range(len(audio)):
            audio[t] = sound[t] / peak
    else:
        for t in range(len(audio)):
            audio[t] = sound[t]


@loop
def write_halves(sound: Any, peak: Any, halves: Any) -> None:
    """Samples to the bits of float16 (T,), scaled to a peak of 1 if it is more."""
    for t in range(len(halves)):
        halves[t] = half(sound[t] / peak)
