"""The engine `fused` beside torchsynth's own Voice and the engine `torchsynth`, the same sounds in turn in one process.

python -m benchmarks.engine [ROUNDS [SOUNDS]]

malloc is tuned for all. The floor is writing the output once. The last table is the way of a whole block.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from pairstream import allocator
from pairstream.spec import StreamSpec
from synth_server import noise
from synth_server.engines import load_engine
from synth_server.patches import PATCHES, load_patch
from synth_server.renderer import Renderer
from tests.toys import plain_voice

Contestants = dict[str, Callable[[], object]]


def main(rounds: int, sounds: int) -> None:
    """Print medians in milliseconds per call of sounds of 1 s at 16 kHz, and ratios to the first row."""
    allocator.tune()
    torch.set_num_threads(1)
    for synth in PATCHES:
        report(f"{synth}, {sounds} sounds", race(engines(synth, sounds), rounds), sounds)
    report("voice, blocks of 128 pairs through Renderer", race(blocks(), rounds), 256)


def engines(synth: str, sounds: int) -> Contestants:
    """Everything that plays the patch."""
    theta = np.random.default_rng(0).random((sounds, len(load_patch(synth).parameters)), dtype=np.float32)
    theta = theta.clip(1e-6, 1.0)
    keys = np.arange(sounds, dtype=np.uint64)
    hiss = noise.white(keys, 16_000).numpy()
    floor = np.empty_like(hiss)
    contestants: Contestants = {}
    if synth == "voice":
        voice = plain_voice.plain_voice(sounds)
        contestants["torchsynth's Voice, noise given"] = lambda: plain_voice.play(voice, theta, hiss)
    for name in ("torchsynth", "fused"):
        for threads in (1, 2):
            engine = load_engine(name, synth=synth, threads=threads)
            contestants[f"{name}, {threads} threads"] = lambda engine=engine: engine.render(theta, keys)  # type: ignore[misc]
            if (name, threads) == ("fused", 1):
                contestants["fused, 1 thread, noise given"] = lambda engine=engine: engine.render(  # type: ignore[misc]
                    theta, keys, noise=hiss
                )
    contestants["the floor: writing the output"] = lambda: floor.fill(0.5)
    return contestants


def blocks() -> Contestants:
    """The bare engine with 256 sounds, then whole blocks of 128 pairs."""
    theta = np.random.default_rng(0).random((256, 78), dtype=np.float32).clip(1e-6, 1.0)
    keys = np.arange(256, dtype=np.uint64)
    contestants: Contestants = {}
    for threads in (1, 2):
        engine = load_engine("fused", threads=threads)
        contestants[f"the engine, {threads} threads"] = lambda engine=engine: engine.render(theta, keys)  # type: ignore[misc]
    for threads in (1, 2):
        for dtype in ("float32", "float16"):
            renderer = Renderer(StreamSpec(engine="fused", dtype=dtype), threads=threads)
            contestants[f"Renderer, {dtype}, {threads} threads"] = lambda renderer=renderer: renderer.render(7)  # type: ignore[misc]
    return contestants


def race(contestants: Contestants, rounds: int) -> dict[str, float]:
    """Median seconds per call, all in turn."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(rounds + 2):
        for name, play in contestants.items():
            began = time.perf_counter()
            play()
            if round_number >= 2:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def report(title: str, medians: dict[str, float], sounds: int) -> None:
    """A table with the ratios to its first row."""
    first = next(iter(medians.values()))
    print(title)
    for name, median in medians.items():
        print(f"  {name:34} {median * 1e3:8.2f} ms   {first / median:7.2f}x   {sounds / median:9,.0f} sounds/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15, int(sys.argv[2]) if len(sys.argv) > 2 else 128)
