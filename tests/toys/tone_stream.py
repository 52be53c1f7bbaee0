"""A renderer without a synthesizer: pairs of tones, so that the trainer's tests need no producer.

Run as a program it is the console script `trainer` on toy streams: `python tone_stream.py fit --run …`.
"""

from __future__ import annotations

import os
import sys
import time
from importlib import import_module

import numpy as np

from pairstream import PairBlock, StreamSpec
from pairstream.errors import RenderError
from pairstream.messages import Layout

#: From this index on there is no block, to see what a trainer does when its stream fails.
ENDS_AT = int(os.environ.get("TOY_STREAM_ENDS_AT", "0"))

#: Seconds that a block takes, so that there is time to send a signal.
BLOCK_SECONDS = float(os.environ.get("TOY_STREAM_BLOCK_SECONDS", "0"))


class ToySource:
    """Two tones per sound; its pitches are theta, and `delta` moves them. The same bytes for the same index."""

    fingerprint = "toy"

    def __init__(self, spec: StreamSpec) -> None:
        self.spec = spec
        self.layout = Layout(pairs=spec.block_pairs, parameters=2, samples=spec.samples, dtype=spec.dtype)

    def render(self, index: int) -> PairBlock:
        """Block `index`."""
        if ENDS_AT and ENDS_AT <= index < 1 << 40:
            raise RenderError(f"the toy stream ends at {ENDS_AT}")
        time.sleep(BLOCK_SECONDS)
        spec = self.spec
        random = np.random.Generator(np.random.Philox(key=[spec.seed, index]))
        base = random.random((spec.block_pairs, 1, 2))
        moved = base + spec.delta_of("pitch") * 0.1 * random.standard_normal((spec.block_pairs, 2, 2))
        theta = np.clip(moved, 0.0, 1.0).astype(np.float32)
        hertz = 150.0 * 40.0 ** theta[..., None].astype(np.float64)
        seconds = np.arange(spec.samples) / spec.sample_rate
        audio = 0.5 * np.sin(2 * np.pi * hertz * seconds).sum(axis=2)
        return PairBlock(index=index, digest=spec.digest, theta=theta, audio=audio.astype(spec.dtype))

    def close(self) -> None:
        """Nothing to release."""


def install() -> None:
    """From now on, local:// is a toy stream in this process."""
    vars(import_module("pairstream.connect"))["installed_renderer"] = lambda: ToySource


if __name__ == "__main__":
    install()
    from trainer.cli import main

    sys.exit(main())
