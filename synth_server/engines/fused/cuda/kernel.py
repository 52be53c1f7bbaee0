"""The kernel: a block of threads per sound, each sound a function of its own row and nothing else.

The threads meet wherever one needs what others made: after the settings, after each step of the control rate, and
for each sum of an oscillator's steps. What they do in between is in settings.py, controls.py and audio.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import cuda, float32, int32, uint32

from synth_server.engines.fused.cuda.audio import bent_share, fm_share, hiss_share, tone_share
from synth_server.engines.fused.cuda.compiler import OPTIONS
from synth_server.engines.fused.cuda.controls import envelope_share, lfo_share, lfo_turn, line_share, weight_share
from synth_server.engines.fused.cuda.rooms import ROWS
from synth_server.engines.fused.cuda.settings import human_share, module_share
from synth_server.engines.fused.hiss import salt_of, start_of
from synth_server.engines.fused.jit import shared
from synth_server.engines.fused.scalar import Float, Word, bits, f32, half, i32, real, signed, u32
from synth_server.engines.fused.wiring import FM, KIND, NONE, SLOT, SOURCE

#: Threads of a block, at most. Numbers of threads must be multiples of GROUP.
MOST_THREADS = 256
#: Threads whose values are summed together before the groups are.
GROUP = 16
#: Columns of shared arrays; four more than there are threads, so that eight rows lie in different banks.
COLUMNS = MOST_THREADS + 32 // ROWS
#: Sums of threads, then of groups.
SUMS = MOST_THREADS + MOST_THREADS // GROUP


@shared
def sum_of(sums: Any, first: Any, last: Any) -> Word:
    """The sum of these entries. They are counted in uint32: for an index that might be negative numba looks twice."""
    total, i = u32(0), u32(first)
    while i < u32(last):
        total = u32(total + sums[i])
        i = u32(i + u32(1))
    return total


@shared
def sum_before(value: Word, sums: Any, thread: Any, threads: Any) -> Word:
    """The sum of `value` over all threads before this one. Whole numbers, so exact in any order."""
    sums[thread] = value
    cuda.syncthreads()
    if thread < threads // GROUP:
        sums[MOST_THREADS + thread] = sum_of(sums, thread * GROUP, thread * GROUP + GROUP)
    cuda.syncthreads()
    group = thread // GROUP
    before = u32(sum_of(sums, MOST_THREADS, MOST_THREADS + group) + sum_of(sums, group * GROUP, thread))
    cuda.syncthreads()
    return before


@shared
def play_controls(wiring: Any, grid: Any, rooms: Any, block: Any, sums: Any, thread: Any, threads: Any) -> None:
    """Settings to lines: `rooms.values` and `rooms.slopes`."""
    signals, human, lfos = rooms.signals[block], rooms.human[block], rooms.lfos[block]
    envelope_share(rooms.envelopes[block], signals, thread, threads)
    weight_share(wiring, human, rooms.gains[block], rooms.weights[block], thread, threads)
    cuda.syncthreads()
    share, per_hertz = -(-grid.controls // threads), f32(1.0 / grid.control_rate)
    first, last = min(thread * share, grid.controls), min(thread * share + share, grid.controls)
    for k in range(len(lfos)):
        heard = len(signals) - 2 * len(lfos) + k
        rate = signals[heard + len(lfos)]
        before = sum_before(lfo_turn(lfos[k], rate, per_hertz, first, last), sums, thread, threads)
        lfo_share(
            lfos[k], rate, per_hertz, u32(rooms.lfo_phases[block, k] + before), first, last, signals[heard]
        )  # fmt: skip
    cuda.syncthreads()
    for row in range(len(rooms.values[block])):
        line_share(wiring, grid, rooms, block, row, thread, threads)


@shared
def play_chunk(
    wiring: Any, grid: Any, segments: Any, rooms: Any, block: Any, start: Word, salt: Word, noise: Any,
    chunk: Any, turns: Any, mix: Any, sums: Any, thread: Any, threads: Any,
) -> None:  # fmt: skip
    """The samples from `chunk` on, ROWS for each thread, to `mix`."""
    table, settings, bases = wiring.oscillators, rooms.oscillators[block], rooms.bases[block]
    values, slopes, slots, phases = rooms.values[block], rooms.slopes[block], rooms.slots[block], rooms.phases[block]
    first = min(chunk + thread * ROWS, grid.samples)
    count, segment, noises = min(grid.samples - first, ROWS), segments[first // ROWS], len(values) - 1
    hiss_share(
        grid, values[noises], slopes[noises], first, count, segment, start, salt, noise, mix, thread
    )  # fmt: skip
    for k in range(len(table)):
        c, pitch, amp = settings[k], 2 * k, 2 * k + 1
        if table[k, KIND] == FM:
            turned = fm_share(slots[table[k, SOURCE]], c, bases[k], count, turns, thread)
        else:
            turned = bent_share(
                grid, values[pitch], slopes[pitch], c, bases[k], first, count, segment, turns, thread
            )  # fmt: skip
        phase = phases[k]
        before = u32(phase + sum_before(turned, sums, thread, threads))
        if thread == threads - 1:
            phases[k] = u32(before + turned)
        slot = table[k, SLOT]
        kept = slots[slot, 0:ROWS] if slot != NONE else slots[0, 0:0]
        tone_share(
            grid, values[amp], slopes[amp], table[k, KIND], c, rooms.levels[block, k], first, count, segment,
            before, turns, mix, kept, thread,
        )  # fmt: skip
    cuda.syncthreads()


@shared
def put_chunk(samples: Any, chunk: Any, mix: Any, sound: Any, thread: Any, threads: Any) -> Word:
    """The mix of a chunk to the sound, neighbours by neighbours. Returns the peak of this thread's, as bits."""
    peak = i32(0)
    for i in range(thread, min(ROWS * threads, samples - chunk), threads):
        x = mix[i % ROWS, i // ROWS]
        sound[chunk + i] = x
        peak = max(peak, signed(bits(abs(x))))
    cuda.syncthreads()
    return peak


def _kernel(convert: Callable[[Float], Any]) -> Any:
    """The kernel whose samples are written as `convert` makes them."""

    def play(wiring: Any, grid: Any, segments: Any, rooms: Any, theta: Any, keys: Any, noise: Any, audio: Any) -> None:
        """theta (B, P) and keys (B, 2) -> audio (B, T), B blocks; noise is (B, T), or (B, 0) for that of the keys."""
        turns = cuda.shared.array((ROWS, COLUMNS), uint32)
        mix = cuda.shared.array((ROWS, COLUMNS), float32)
        sums = cuda.shared.array(SUMS, uint32)
        peaks = cuda.shared.array(1, int32)
        block, thread, threads, peak = cuda.blockIdx.x, cuda.threadIdx.x, cuda.blockDim.x, i32(0)
        low, high = keys[block, 0], keys[block, 1]
        start, salt, sound = start_of(low, high), salt_of(low, high), rooms.sound[block]
        peaks[0] = peak
        human_share(wiring, rooms, block, theta[block], thread, threads)
        cuda.syncthreads()
        module_share(wiring, grid, rooms, block, thread, threads)
        cuda.syncthreads()
        play_controls(wiring, grid, rooms, block, sums, thread, threads)
        cuda.syncthreads()
        for chunk in range(0, grid.samples, ROWS * threads):
            play_chunk(
                wiring, grid, segments, rooms, block, start, salt, noise[block],
                chunk, turns, mix, sums, thread, threads,
            )  # fmt: skip
            peak = max(peak, put_chunk(grid.samples, chunk, mix, sound, thread, threads))
        cuda.atomic.max(peaks, 0, peak)
        cuda.syncthreads()
        loudest = real(u32(peaks[0]))
        for t in range(thread, grid.samples, threads):
            x = sound[t]
            audio[block, t] = convert(x / loudest if loudest > f32(1) else x)

    return cuda.jit(play, **OPTIONS)  # as a decorator it would forget them


@shared
def _same(x: Float) -> Float:
    """float32 as it is."""
    return x


#: The kernel by the type of the samples; those of float16 are written as bits, uint16.
KERNELS = {"float32": _kernel(_same), "float16": _kernel(half)}
