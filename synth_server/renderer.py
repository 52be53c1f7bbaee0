"""Renderer: the pure function (spec, index) -> PairBlock of one stream. The first three arrows in a row.

    (spec, i) -> sampling: theta (N,P) -> perturb: (N,2,P) -> engine: (N,2,T)

It keeps nothing between two blocks: no cache (`window.py`), no turns (`scheduler.py`), no wire.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from pairstream.block import PairBlock
from pairstream.errors import RenderError
from pairstream.messages import Layout
from pairstream.spec import StreamSpec
from synth_server import perturb, sampling
from synth_server.engines import load_engine
from synth_server.limits import LOCAL
from synth_server.patches import Parameter, load_patch

#: Called with a stage (sampling, perturb or engine) and the seconds it took.
Observe = Callable[[str, float], None]

Result = TypeVar("Result")


def ignore(stage: str, seconds: float) -> None:
    """The observer that does not look."""


class Renderer:
    """Renders any block of one stream: the source of workers and of local://.

    `render` may be called from several threads at once.

    Raises:
        RefusedError: this worker has no such synth, oscillators or engine; the message names those it has.
        ConfigError: the device or the number of threads cannot be used.
    """

    def __init__(
        self, spec: StreamSpec, device: str = "cpu", threads: int | None = None, observe: Observe = ignore
    ) -> None:
        self.spec = spec
        self._patch = load_patch(spec.synth, spec.oscillators)
        self._observe = observe
        self._engine = load_engine(
            spec.engine,
            synth=spec.synth,
            oscillators=spec.oscillators,
            sample_rate=spec.sample_rate,
            seconds=spec.seconds,
            control_rate=spec.control_rate,
            device=device,
            threads=threads,
        )

    @property
    def layout(self) -> Layout:
        """The shape of every block."""
        spec = self.spec
        return Layout(pairs=spec.block_pairs, parameters=len(self.parameters), samples=spec.samples, dtype=spec.dtype)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The columns of theta."""
        return self._engine.parameters

    @property
    def fingerprint(self) -> str:
        """What the bytes depend on beside the spec: engine, versions, device."""
        return self._engine.fingerprint

    def render(self, index: int) -> PairBlock:
        """Block `index` of the stream.

        Raises:
            ConfigError: `index` is not a whole number of at least 0.
            RenderError: the engine failed, most likely for want of memory.
        """
        theta, keys = self._timed("sampling", lambda: self._sample(index))
        views = self._timed("perturb", lambda: perturb.perturb(self.spec, self._patch, index, theta))
        sounds = views.reshape(-1, views.shape[-1])
        audio = self._timed("engine", lambda: self._play(index, sounds, keys.reshape(-1)))
        return PairBlock(
            index=index,
            digest=self.spec.digest,
            theta=views,
            audio=audio.reshape(len(views), 2, -1),
        )

    def close(self) -> None:
        """Stop the engine. Harmless if repeated."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sample(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
        return sampling.sample(self.spec, self._patch, index), sampling.noise_keys(self.spec, index)

    def _play(self, index: int, theta: NDArray[np.float32], keys: NDArray[np.uint64]) -> NDArray[Any]:
        try:
            return self._engine.render(theta, keys, dtype=self.spec.dtype)
        except (RuntimeError, MemoryError) as error:
            message = f"block {index}: {len(theta)} sounds of {self.spec.seconds} s were not rendered ({error})"
            raise RenderError(f"{message}; try a smaller block_pairs or another device") from error

    def _timed(self, stage: str, work: Callable[[], Result]) -> Result:
        start = time.perf_counter()
        result = work()
        self._observe(stage, time.perf_counter() - start)
        return result


def open_local(spec: StreamSpec) -> Renderer:
    """The renderer behind `local://`.

    Raises:
        RefusedError: the spec asks for more than one process should render, or for what is not here.
    """
    LOCAL.check(spec)
    return Renderer(spec)
