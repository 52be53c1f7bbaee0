"""How the engine `fused` gains from a second thread, for calls of several sizes.

python -m benchmarks.threads [PATCH]

Two engines in one process, one with one thread and one with two, take turns of five calls, as a worker renders block
after block; the first of a turn does not count, since a core that was idle wakes slowly. Medians.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from pairstream import allocator
from synth_server.engines import load_engine

ROUNDS, CALLS = 12, 5


def main(synth: str) -> None:
    """Print milliseconds per call of sounds of 1 s at 16 kHz, and their ratio."""
    allocator.tune()
    engines = [load_engine("fused", synth=synth, threads=threads) for threads in (1, 2)]
    for sounds in (32, 128, 256, 768):
        theta = np.random.default_rng(0).random((sounds, len(engines[0].parameters)), np.float32).clip(1e-6, 1)
        keys = np.arange(sounds, dtype=np.uint64)
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(ROUNDS):
            for engine, seconds in zip(engines, times, strict=True):
                engine.render(theta, keys)
                for _ in range(CALLS - 1):
                    began = time.perf_counter()
                    engine.render(theta, keys)
                    seconds.append(time.perf_counter() - began)
        one, two = (statistics.median(seconds) * 1e3 for seconds in times)
        print(f"{synth}, {sounds:4} sounds: 1 thread {one:6.2f} ms, 2 threads {two:6.2f} ms, {one / two:.2f}x")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "voice")
