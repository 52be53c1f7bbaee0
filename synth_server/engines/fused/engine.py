"""The engine `fused`: any patch on a CPU, the same bytes on every processor. See the package for the way of a sound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import Dtype
from synth_server.engines import checks
from synth_server.engines.fused.grid import grid
from synth_server.engines.fused.kernel import play
from synth_server.engines.fused.pool import Pool
from synth_server.engines.fused.wiring import wire
from synth_server.patches import load_patch

#: The version of the mathematics. Raise it with every change of a golden digest, and with nothing else.
LAW = 1

#: Below this MIDI 127 would step more than one turn per sample, and a phase would not know.
LEAST_RATE = 12_544


class FusedEngine:
    """See `Engine`; the arguments are those of `load_engine`.

    Raises:
        ConfigError: the device is not a CPU, or a rate, a length or the number of threads is out of range.
    """

    name = "fused"

    def __init__(
        self, *, synth: str, sample_rate: int, seconds: float, control_rate: int, device: str, threads: int | None
    ) -> None:
        self.synth, self.sample_rate, self.seconds, self.control_rate = synth, sample_rate, seconds, control_rate
        if device != "cpu":
            raise ConfigError(f"device={device!r}: this engine renders on the CPU so far; use cpu")
        if sample_rate < LEAST_RATE:
            raise ConfigError(f"sample_rate={sample_rate} is too low for this engine; use at least {LEAST_RATE}")
        samples, controls = round(seconds * sample_rate), round(seconds * control_rate)
        if min(samples, controls) < 1:
            raise ConfigError(f"seconds={seconds} gives {samples} samples and {controls} of control; use more")
        self.device, self.fingerprint = device, f"fused {LAW}"
        patch = load_patch(synth)
        self.parameters = patch.parameters
        self._wiring, self._grid = wire(patch), grid(samples, controls, sample_rate, control_rate)
        self._pool = Pool(threads)
        self.render(np.empty((0, len(self.parameters)), np.float32), np.empty(0, np.uint64))

    def render(
        self,
        theta: NDArray[np.float32],
        noise_keys: NDArray[np.uint64],
        *,
        noise: NDArray[np.float32] | None = None,
        dtype: Dtype = "float32",
    ) -> NDArray[Any]:
        """See `Engine.render`."""
        theta = _plain(checks.check_theta(theta, self.parameters))
        checks.check_keys(noise_keys, len(theta))
        if noise is not None:
            checks.check_noise(noise, len(theta), self._grid.samples)
        keys, nothing = _plain(noise_keys), np.empty((len(theta), 0), np.float32)
        hiss = nothing if noise is None else _plain(noise)
        audio = np.empty((len(theta), self._grid.samples), dtype)
        halves = audio.view(np.uint16) if dtype == "float16" else nothing.astype(np.uint16)
        singles = nothing if dtype == "float16" else audio

        turn = np.zeros(1, np.int64)
        self._pool.run(lambda: play(self._wiring, self._grid, turn, theta, keys, hiss, singles, halves), len(theta))
        return audio

    def close(self) -> None:
        """See `Engine.close`."""
        self._pool.close()


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """The array as the kernel was compiled for: for any other layout, or one not writable, numba would compile anew."""
    return np.require(array, requirements=["C", "A", "W"])
