"""What a batch of a training costs beside the step: crops of recordings, and the augmentations on the device.

python -m benchmarks.augment [cpu|cuda] [PAIRS]

Medians of calls on pairs of 1 s at 16 kHz; on a card each call is waited for. The crops are of 2,000 clips of 5 s of
noise in memory, as many as ESC-50 has.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from pairstream import allocator
from trainer.augment.chain import Chain
from trainer.augment.masks import Masks
from trainer.augmentation import SETS, Augmentation
from trainer.sources.clips_in_memory import ClipsInMemory
from trainer.sources.recordings import RecordedPairs

CALLS, CLIPS, CLIP_SAMPLES, SAMPLES, RATE = 15, 2_000, 80_000, 16_000, 16_000


def main(device: str, pairs: int) -> None:
    """Print milliseconds per batch."""
    allocator.tune()
    for dtype in ("float32", "float16"):
        recorded = RecordedPairs(_clips(dtype), seed=0)
        _tell(f"crops, {dtype}, in memory", lambda number, of=recorded: of.audio(number * pairs, pairs), "cpu")
    audio = torch.rand((pairs, 2, SAMPLES), device=device) - 0.5
    for name, settings in _chains().items():
        chain = Chain(settings, seed=0, rate=RATE)
        _tell(f"{name}, {device}", lambda number, chain=chain: chain(audio, number * pairs), device)
    pictures, masks = torch.rand((pairs, 1, 96, 64), device=device), Masks(SETS["specaugment"], seed=0)
    _tell(f"specaugment of one view, {device}", lambda number: masks(pictures, number * pairs, 0), device)


def _chains() -> Mapping[str, Augmentation]:
    """Each operation alone, with the probability 0.5, and the sets."""
    names = [item.name for item in fields(Augmentation) if item.name.endswith("_p") and item.name != "masks_p"]
    alone: dict[str, Any] = {name.removesuffix("_p"): Augmentation(**{name: 0.5}) for name in names}
    return {**alone, "set paper": SETS["paper"], "set strong": SETS["strong"]}


def _clips(dtype: str) -> ClipsInMemory:
    samples = np.random.default_rng(0).random(CLIPS * CLIP_SAMPLES, np.float32).astype(dtype)
    return ClipsInMemory(
        samples=samples,
        starts=np.arange(CLIPS, dtype=np.int64) * CLIP_SAMPLES,
        room=np.full(CLIPS, CLIP_SAMPLES - SAMPLES, np.int64),
        crop=SAMPLES,
        padded=0,
        digest="",
    )


def _tell(name: str, call: Callable[[int], Any], device: str) -> None:
    seconds = []
    for number in range(CALLS + 1):
        began = time.perf_counter()
        call(number)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    print(f"{name:32} {statistics.median(seconds[1:]) * 1e3:8.2f} ms")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cpu", int(sys.argv[2]) if len(sys.argv) > 2 else 768)
