"""The player of a CPU: the kernel in a pool of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream import sendable
from pairstream.spec import Dtype
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.kernel import play
from synth_server.engines.fused.pool import Pool
from synth_server.engines.fused.wiring import Wiring


class CpuPlayer:
    """See `Player`.

    Raises:
        ConfigError: `threads` is not a whole number of at least 1.
    """

    def __init__(self, wiring: Wiring, grid: Grid, threads: int | None) -> None:
        self._wiring, self._grid, self._pool = wiring, grid, Pool(threads)
        nothing = np.empty((0, len(wiring.minimum)), np.float32)
        self.play(nothing, np.empty(0, np.uint64), nothing, "float32")

    def play(self, theta: NDArray[Any], keys: NDArray[Any], noise: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
        """See `Player.play`."""
        audio = sendable.empty((len(theta), self._grid.samples), dtype)
        none = np.empty((len(theta), 0), np.float32)
        halves = audio.view(np.uint16) if dtype == "float16" else none.astype(np.uint16)
        singles = none if dtype == "float16" else audio
        turn = np.zeros(1, np.int64)
        self._pool.run(lambda: play(self._wiring, self._grid, turn, theta, keys, noise, singles, halves), len(theta))
        return audio

    def close(self) -> None:
        """Wait for the work under way and end the threads."""
        self._pool.close()
