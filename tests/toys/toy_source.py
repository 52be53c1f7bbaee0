"""A source that costs nothing to run: noise from (spec, index), in the shape that a renderer would give."""

from __future__ import annotations

import time

import numpy as np

from pairstream.block import PairBlock
from pairstream.errors import RefusedError, RenderError
from pairstream.messages import Layout
from pairstream.spec import StreamSpec

PARAMETERS = 5

#: Small enough that a test may use hundreds of blocks.
TOY = StreamSpec(synth="toy", sample_rate=1_000, seconds=0.032, control_rate=100, block_pairs=4)


class ToySource:
    """Renders one stream; `rendered` lists what it was asked for."""

    fingerprint = "toy 1"

    def __init__(self, spec: StreamSpec, *, seconds: float = 0.0, broken: frozenset[int] = frozenset()) -> None:
        self.spec = spec
        self.layout = Layout(pairs=spec.block_pairs, parameters=PARAMETERS, samples=spec.samples, dtype=spec.dtype)
        self.rendered: list[int] = []
        self.closed = False
        self._seconds = seconds
        self.broken = broken

    def render(self, index: int) -> PairBlock:
        self.rendered.append(index)
        if index in self.broken:
            raise RenderError("this one is broken")
        time.sleep(self._seconds)
        rng = np.random.Generator(np.random.Philox(key=[self.spec.seed, index]))
        shape = (self.spec.block_pairs, 2)
        theta = rng.random((*shape, PARAMETERS), dtype=np.float32)
        audio = rng.random((*shape, self.spec.samples), dtype=np.float32) * 2 - 1
        return PairBlock(index=index, digest=self.spec.digest, theta=theta, audio=audio.astype(self.spec.dtype))

    def close(self) -> None:
        self.closed = True


def open_toy(spec: StreamSpec) -> ToySource:
    """Serves any spec whose synth is `toy` or a default, as a worker's warm-up is."""
    if spec.synth not in ("toy", "voice"):
        raise RefusedError(f"synth={spec.synth!r} is not a toy; use 'toy'")
    return ToySource(spec)
