"""The engine `torchsynth` against torchsynth's own Voice, the same sounds in turn, malloc tuned for both.

python -m benchmarks.engine [ROUNDS]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from synth_server import allocator, noise
from synth_server.engines import load_engine
from tests.toys import plain_voice

SOUNDS = 128


def main(rounds: int) -> None:
    """Print the medians in milliseconds per call of 128 sounds of 1 s at 16 kHz, and their ratio."""
    allocator.tune()
    torch.set_num_threads(1)
    engine = load_engine("torchsynth", threads=1)
    theta = np.random.default_rng(0).random((SOUNDS, 78), dtype=np.float32).clip(1e-6, 1.0)
    keys = np.arange(SOUNDS, dtype=np.uint64)
    hiss = noise.white(keys, 16_000).numpy()
    voice = plain_voice.plain_voice(SOUNDS)
    contestants: dict[str, Callable[[], object]] = {
        "torchsynth's Voice, noise given": lambda: plain_voice.play(voice, theta, hiss),
        "this engine, noise given": lambda: engine.render(theta, keys, noise=hiss),
        "this engine, fresh noise": lambda: engine.render(theta, keys),
    }
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(rounds + 2):
        for name, play in contestants.items():
            began = time.perf_counter()
            play()
            if round_number >= 2:
                times[name].append(time.perf_counter() - began)
    first = statistics.median(next(iter(times.values())))
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:34} {median * 1e3:7.1f} ms   {first / median:5.2f}x   {SOUNDS / median:7,.0f} sounds/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
