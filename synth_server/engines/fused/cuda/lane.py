"""Lane: one stream of a card with memory of its own. While one lane copies its sounds to the host, another renders.

Audio goes to memory of the host that the card can write by itself, which is allocated once because that is slow,
and from there, by the processor, to the caller's array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from synth_server.engines.fused.cuda.compiler import unfused
from synth_server.engines.fused.cuda.kernel import KERNELS
from synth_server.engines.fused.cuda.program import Program

#: What the kernel writes: float16 as its bits.
WORDS = {"float32": np.float32, "float16": np.uint16}


class Lane:
    """Plays up to `program.blocks` sounds at a time. Not thread-safe."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._stream = cuda.stream()
        self._rooms = program.rooms()
        sounds, samples = program.blocks, program.samples
        self._theta = cuda.device_array((sounds, program.parameters), np.float32)
        self._keys = cuda.device_array((sounds, 2), np.uint32)
        self._audio = cuda.device_array(sounds * samples, np.float32)
        self._pinned = cuda.pinned_array(sounds * samples, np.float32)
        self._given: Any = None  # noise, kept while it is read
        self._pending: tuple[NDArray[Any], NDArray[Any]] | None = None

    def start(self, theta: NDArray[Any], keys: NDArray[Any], noise: NDArray[Any], audio: NDArray[Any]) -> None:
        """Begin to play at most `program.blocks` sounds into `audio` (B, T); it is whole after `finish`."""
        self.finish()
        count, words = len(theta), WORDS[str(audio.dtype)]
        size = count * self._program.samples
        played = self._audio.view(words)[:size].reshape((count, self._program.samples))
        pinned = self._pinned.view(words)[:size].reshape((count, self._program.samples))
        self._theta[:count].copy_to_device(theta, stream=self._stream)
        self._keys[:count].copy_to_device(keys, stream=self._stream)
        self._given = cuda.to_device(noise, stream=self._stream)
        self.launch(str(audio.dtype), (self._theta[:count], self._keys[:count], self._given, played))
        played.copy_to_host(pinned, stream=self._stream)
        self._pending = pinned, audio.view(words)

    def launch(self, dtype: str, arrays: tuple[Any, ...]) -> None:
        """Begin to play at most `program.blocks` sounds; theta, keys, noise and audio are in the card's memory."""
        program = self._program
        kernel = KERNELS[dtype][len(arrays[0]), program.threads, self._stream]
        with unfused():
            kernel(program.wiring, program.grid, program.segments, self._rooms, *arrays)

    def finish(self) -> None:
        """Wait for what was begun, and hand it over."""
        self._stream.synchronize()
        pending, self._pending = self._pending, None
        if pending is not None:
            pinned, audio = pending
            audio[...] = pinned

    def forget(self) -> None:
        """Hand over nothing of what was begun."""
        self._pending = None
