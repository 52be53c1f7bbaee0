"""The player of a CUDA card. Two lanes take the pieces of a call in turn, so that copying hides behind rendering."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from pairstream import sendable
from pairstream.spec import Dtype
from synth_server.engines.fused.cuda.card import multiprocessors
from synth_server.engines.fused.cuda.lane import WORDS, Lane
from synth_server.engines.fused.cuda.program import make_program
from synth_server.engines.fused.grid import Grid
from synth_server.engines.fused.wiring import Wiring

#: Threads per block, a multiple of `kernel.GROUP`.
THREADS = 128
#: Lanes: while one copies the other renders.
LANES = 2
#: Pieces of a call, at least: with one there would be nothing to hide the copying behind.
PIECES = 4


class CudaPlayer:
    """See `Player`. Calls from several threads are played one after the other.

    Raises:
        RuntimeError: the card refuses the kernel or the memory; so may calls.
    """

    def __init__(self, wiring: Wiring, grid: Grid, card: int) -> None:
        self._card, self._lock = cuda.gpus[card], threading.Lock()
        with self._lock, self._card:
            self._program = make_program(wiring, grid, threads=THREADS, multiprocessors=multiprocessors(card))
            self._lanes = [Lane(self._program) for _ in range(LANES)]
        self.play(np.full((1, self._program.parameters), 0.5, np.float32), *_no_noise(1), "float32")

    def play(self, theta: NDArray[Any], keys: NDArray[Any], noise: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
        """See `Player.play`. The array is the caller's own: the sounds were copied out of the lanes' memory."""
        count, words = len(theta), _halves(keys)
        audio = sendable.empty((count, self._program.samples), dtype)
        size = min(self._program.blocks, max(1, -(-count // PIECES)))
        with self._lock, self._card:
            try:
                for number, first in enumerate(range(0, count, size)):
                    rows = slice(first, first + size)
                    self._lanes[number % LANES].start(theta[rows], words[rows], noise[rows], audio[rows])
                for lane in self._lanes:
                    lane.finish()
            except Exception as error:  # those of numba, of NVIDIA's bindings and of the driver have nothing in common
                for lane in self._lanes:
                    lane.forget()
                raise RuntimeError(f"the card failed: {error}") from error
        return audio

    def play_on_card(self, theta: NDArray[Any], keys: NDArray[Any], noise: NDArray[Any], dtype: Dtype) -> Any:
        """The same sounds in new memory of the card, whole when this returns."""
        with self._lock, self._card:
            audio = cuda.device_array((len(theta), self._program.samples), WORDS[dtype])
            words, given = _halves(keys), []
            for number, first in enumerate(range(0, len(theta), self._program.blocks)):
                rows = slice(first, first + self._program.blocks)
                given.append(tuple(cuda.to_device(array[rows]) for array in (theta, words, noise)))
                self._lanes[number % LANES].launch(dtype, (*given[-1], audio[rows]))
            for lane in self._lanes:
                lane.finish()
            return audio.view(np.dtype(dtype))

    def close(self) -> None:
        """Give the lanes' memory back."""
        with self._lock, self._card:
            self._lanes = []


def _halves(keys: NDArray[Any]) -> NDArray[np.uint32]:
    """Keys (B,) as their low and high halves (B, 2)."""
    return np.stack([keys & np.uint64(0xFFFFFFFF), keys >> np.uint64(32)], axis=1).astype(np.uint32)


def _no_noise(count: int) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    return np.zeros(count, np.uint64), np.empty((count, 0), np.float32)
