"""The engine `fused` on a CUDA card beside the engine `torchsynth` on the same card, and `fused` on the CPU.

python -m benchmarks.cuda [ROUNDS [SOUNDS [DEVICE]]]

First the bytes: the card's must be the CPU's. Then medians of sounds of 1 s at 16 kHz, all in turn in one process.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import cast

from pairstream import allocator
from pairstream.errors import ConfigError
from synth_server.engines import load_engine
from synth_server.engines.fused.engine import FusedEngine
from synth_server.patches import PATCHES
from tests.golden import digests, sounds


def main(rounds: int, count: int, device: str) -> int:
    """Print tables; 1 if there is no card, or if it does not give the bytes of the CPU."""
    allocator.tune()  # as in a worker
    try:
        load_engine("fused", device=device).close()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return max(compare(synth, rounds, count, device) for synth in PATCHES)


def compare(synth: str, rounds: int, count: int, device: str) -> int:
    """One patch: the bytes, then the table; 1 if the bytes differ."""
    theta, keys = sounds(synth, count)
    reference = load_engine("torchsynth", synth=synth, device=device)
    cpu = load_engine("fused", synth=synth)
    card = cast("FusedEngine", load_engine("fused", synth=synth, device=device))
    same = digests(card.render(theta, keys)) == digests(cpu.render(theta, keys))
    if same:
        medians = race(
            {
                "torchsynth, card": lambda: reference.render(theta, keys),
                "fused, CPU": lambda: cpu.render(theta, keys),
                "fused, CPU, float16": lambda: cpu.render(theta, keys, dtype="float16"),
                "fused, card": lambda: card.render(theta, keys),
                "fused, card, float16": lambda: card.render(theta, keys, dtype="float16"),
                "fused, left on the card": lambda: card.render_on_device(theta, keys),
            },
            rounds,
        )
        report(synth, medians, count)
    else:
        print(f"{synth}: the card does not give the bytes of the CPU", file=sys.stderr)
    for engine in (reference, cpu, card):
        engine.close()
    return 0 if same else 1


def race(plays: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds per call, all in turn, the first two rounds not counted."""
    times: dict[str, list[float]] = {name: [] for name in plays}
    for number in range(rounds + 2):
        for name, play in plays.items():
            began = time.perf_counter()
            play()
            if number >= 2:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def report(synth: str, medians: dict[str, float], count: int) -> None:
    """A table with the ratios to its first row; × real time is seconds of audio per second."""
    first = next(iter(medians.values()))
    print(f"{synth}, {count} sounds of 1 s, the bytes of the CPU")
    for name, median in medians.items():
        print(f"  {name:26} {median * 1e3:9.2f} ms   {first / median:7.2f}x   {count / median:11,.0f} x real time")


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    raise SystemExit(main(int(given.get(1, 15)), int(given.get(2, 1024)), given.get(3, "cuda")))
