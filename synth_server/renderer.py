"""Renderer: the pure function (spec, index) -> PairBlock of one stream. The first three arrows in a row.

    (spec, i) -> sampling: theta (N,P) -> perturb: (N,2,P) -> engine: (N,2,T)

A spec of several layers goes this way once for each, and `layers.py` makes one sound of them; their parameters stand in
a row, those of layer 0 first: theta is (N, 2, L * P).

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
from synth_server import layers, perturb, sampling
from synth_server.cores import thread_count
from synth_server.engines.lending import Engines, OwnEngines
from synth_server.limits import LOCAL
from synth_server.parts import Parts
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
        self,
        spec: StreamSpec,
        device: str = "cpu",
        threads: int | None = None,
        observe: Observe = ignore,
        engines: Engines | None = None,
    ) -> None:
        self.spec = spec
        self._patch = load_patch(spec.synth, spec.oscillators)
        self._observe = observe
        self._parts = Parts(spec.block_pairs, thread_count(threads))
        self._engines = engines or OwnEngines()
        self._closed = False
        self._engine = self._engines.take(
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
        width = spec.layers * len(self.parameters)
        return Layout(pairs=spec.block_pairs, parameters=width, samples=spec.samples, dtype=spec.dtype)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The columns of theta, of one layer."""
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
        sampled = self._timed("sampling", lambda: [self._sample(index, layer) for layer in range(self.spec.layers)])
        views = self._timed(
            "perturb", lambda: [self._perturb(index, layer, theta) for layer, (theta, _) in enumerate(sampled)]
        )
        audio = self._timed("engine", lambda: self._play(index, views, [keys for _, keys in sampled]))
        return PairBlock(
            index=index,
            digest=self.spec.digest,
            theta=np.concatenate(views, axis=2),
            audio=audio.reshape(self.spec.block_pairs, 2, -1),
        )

    def close(self) -> None:
        """Give back the engine. Harmless if repeated."""
        if not self._closed:
            self._closed = True
            self._engines.give_back(self._engine)
            self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sample(self, index: int, layer: int) -> tuple[NDArray[np.float32], NDArray[np.uint64]]:
        def of(rows: range) -> NDArray[np.float32]:
            return sampling.sample(self.spec, self._patch, index, layer, rows=rows)

        return self._parts.of_all(of), sampling.noise_keys(self.spec, index, layer)

    def _perturb(self, index: int, layer: int, theta: NDArray[np.float32]) -> NDArray[np.float32]:
        def of(rows: range) -> NDArray[np.float32]:
            return perturb.perturb(self.spec, self._patch, index, theta[rows.start : rows.stop], layer, rows=rows)

        return self._parts.of_all(of)

    def _play(self, index: int, views: list[NDArray[np.float32]], keys: list[NDArray[np.uint64]]) -> NDArray[Any]:
        """Views (N, 2, P) and keys (N, 2) of every layer -> audio (2N, T)."""
        sounds = [(theta.reshape(-1, theta.shape[-1]), of.reshape(-1)) for theta, of in zip(views, keys, strict=True)]
        try:
            if len(sounds) == 1:
                return self._engine.render(*sounds[0], dtype=self.spec.dtype)
            return layers.together(self._engine.render(*of) for of in sounds).astype(self.spec.dtype, copy=False)
        except (RuntimeError, MemoryError) as error:
            message = f"block {index}: {len(sounds[0][0])} sounds of {self.spec.seconds} s were not rendered ({error})"
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
