"""Where the time of the engine `fused` goes on a CPU: each loop of its kernel alone, in one thread.

python -m benchmarks.kernel [PATCH [SOUNDS]]

Each loop runs as often as a call of so many sounds of 1 s at 16 kHz runs it, over what it finds in the first-level
cache. What the kernel takes beyond their sum is waiting for memory and going from one loop to the next.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np

from pairstream import allocator
from synth_server.engines import load_engine
from synth_server.engines.fused import audio_pass, block, control_pass, settings
from synth_server.engines.fused.grid import LANES, Grid
from synth_server.engines.fused.room import Room, make_room
from synth_server.engines.fused.wiring import FM, KIND, NONE, SLOT, SQUARE_SAW, Wiring

ROUNDS = 15

#: What it is called, a loop of the kernel, its arguments, and how often a call runs it.
Part = tuple[str, Any, tuple[Any, ...], int]


def main(synth: str, sounds: int) -> None:
    """Print medians in milliseconds per call of so many sounds."""
    allocator.tune()
    engine: Any = load_engine("fused", synth=synth, threads=1)
    theta = np.random.default_rng(0).random((sounds, len(engine.parameters)), np.float32).clip(1e-6, 1)
    keys = np.arange(sounds, dtype=np.uint64)
    wiring, grid = engine._player._wiring, engine._player._grid
    room = make_room(wiring, grid)
    total = median(lambda: engine.render(theta, keys))
    together = 0.0
    print(f"{synth}, {sounds} sounds of 1 s at 16 kHz, one thread")
    for name, loop, arguments, times in parts(wiring, grid, room, theta[0], sounds):
        play = repeated(loop)
        seconds = median(lambda play=play, times=times, arguments=arguments: play(times, arguments))  # type: ignore[misc]
        together += seconds
        print(f"  {name:44} {seconds * 1e3:7.3f} ms  {seconds / total:6.1%}")
    print(f"  {'beyond them: memory, the way from loop to loop':44} {(total - together) * 1e3:7.3f} ms")
    print(f"  {'the engine':44} {total * 1e3:7.3f} ms")
    floor = np.empty((sounds, 16_000), np.float32)
    print(f"  {'the floor: writing the output once':44} {median(lambda: floor.fill(0.5)) * 1e3:7.3f} ms")


def parts(wiring: Wiring, grid: Grid, room: Room, theta: Any, sounds: int) -> Iterator[Part]:
    """The loops of the kernel, in their order; each has run before those that read what it writes."""
    for name, loop, arguments in (
        ("theta to human units", settings.set_human, (wiring, theta, room)),
        ("settings of envelopes", settings.set_envelopes, (wiring, grid, room)),
        ("settings of LFOs", settings.set_lfos, (wiring, room)),
        ("settings of oscillators", settings.set_oscillators, (wiring, grid, room)),
        ("envelopes, LFOs, matrix", control_pass.control_pass, (wiring, grid, room)),
    ):
        loop(*arguments)
        yield name, loop, arguments, sounds
    work, step, c = room.work, grid.step, room.oscillators
    rows, blocks = int(max(grid.lengths)), len(grid.starts) // LANES * sounds
    head = np.array([[0] * LANES, [rows] * LANES], np.uint32)
    work[: 2 * LANES] = head.ravel()
    work[block.VALUES : block.VALUES + LANES] = np.full(LANES, 0.3, np.float32).view(np.uint32)
    word = np.uint32
    kinds = wiring.oscillators[:, KIND]
    bent, fm, square = (int(np.sum(found)) for found in (kinds != FM, kinds == FM, kinds == SQUARE_SAW))
    yield "noise", block.hiss_rows, (rows, word(1), word(2), step, work), blocks
    yield "pitch", block.pitch_rows, (rows, c, 0, step, work), blocks * bent
    yield "pitch to steps", block.bent_rows, (rows, c, 0, word(2**31), work), blocks * bent
    work[block.SIGNAL :] = np.full(len(work) - block.SIGNAL, 0.5, np.float32).view(np.uint32)
    if fm:
        yield "FM source to steps", block.fm_rows, (rows, c, 0, word(2**20), work), blocks * fm
    yield "steps to phases", block.add_up, (rows, work), blocks * (bent + fm)
    yield "phases to sines", block.sine_rows, (rows, np.float32(1), step, work), blocks * (bent + fm - square)
    square_saw = int(np.argmax(kinds == SQUARE_SAW))
    yield "phases to overdriven sines", block.drive_rows, (rows, c, square_saw, work), blocks * square
    work[block.SIGNAL : block.MIX] = np.full(block.MIX - block.SIGNAL, 0.5, np.float32).view(np.uint32)
    yield "their powers", block.grow_rows, (rows, work), blocks * square
    yield "powers to square-saws", block.square_saw_rows, (rows, np.float32(1), step, work), blocks * square
    kept = int(np.sum(wiring.oscillators[:, SLOT] != NONE))
    if kept:
        yield "samples that move others, kept", audio_pass.to_slot, (rows, room.slots, 0, work), blocks * kept
    yield "lanes to samples", audio_pass.scatter, (rows, grid.starts, 0, work, room.sound), blocks
    yield "peak", keep_peak, (room.sound, grid.samples, np.empty(1, np.float32)), sounds
    yield "out", audio_pass.write, (room.sound, np.float32(1), np.empty(grid.samples, np.float32)), sounds


@numba.njit(error_model="numpy")
def keep_peak(sound: Any, samples: int, kept: Any) -> None:
    """The peak, where LLVM cannot see that nobody wants it."""
    kept[0] = audio_pass.peak_of(sound, samples)


def repeated(loop: Any) -> Callable[[int, tuple[Any, ...]], None]:
    """The loop so many times in compiled code."""

    @numba.njit(error_model="numpy")
    def play(times: int, arguments: Any) -> None:
        for _ in range(times):
            loop(*arguments)

    return play  # type: ignore[no-any-return]


def median(play: Callable[[], object]) -> float:
    """Median seconds of one call."""
    play()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        play()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "voice", int(sys.argv[2]) if len(sys.argv) > 2 else 128)
