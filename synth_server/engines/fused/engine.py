"""The engine `fused`: any patch, on a CPU or a CUDA card, the same bytes on all. See the package for a sound's way."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ConfigError
from pairstream.spec import Dtype
from synth_server.engines import checks
from synth_server.engines.fused.grid import Grid, grid
from synth_server.engines.fused.player import Player
from synth_server.engines.fused.wiring import Wiring, wire
from synth_server.patches import Patch

#: The version of the mathematics. Raise it with every change of a golden digest, and with nothing else.
LAW = 1

#: Below this MIDI 127 would step more than one turn per sample, and a phase would not know.
LEAST_RATE = 12_544


class FusedEngine:
    """See `Engine`; the settings are those of `load_engine`.

    Raises:
        ConfigError: the device is not there, or a rate, a length or the number of threads is out of range.
    """

    name = "fused"

    def __init__(
        self, patch: Patch, *, sample_rate: int, seconds: float, control_rate: int, device: str, threads: int | None
    ) -> None:
        self.synth, self.sample_rate, self.seconds, self.control_rate = patch.name, sample_rate, seconds, control_rate
        if sample_rate < LEAST_RATE:
            raise ConfigError(f"sample_rate={sample_rate} is too low for this engine; use at least {LEAST_RATE}")
        samples, controls = round(seconds * sample_rate), round(seconds * control_rate)
        if min(samples, controls) < 1:
            raise ConfigError(f"seconds={seconds} gives {samples} samples and {controls} of control; use more")
        self.device, self.fingerprint = device, f"fused {LAW}"
        self.parameters, self._samples = patch.parameters, samples
        self._player = _player(wire(patch), grid(samples, controls, sample_rate, control_rate), device, threads)

    def render(
        self,
        theta: NDArray[np.float32],
        noise_keys: NDArray[np.uint64],
        *,
        noise: NDArray[np.float32] | None = None,
        dtype: Dtype = "float32",
    ) -> NDArray[Any]:
        """See `Engine.render`."""
        return self._player.play(*self._checked(theta, noise_keys, noise), dtype)

    def render_on_device(
        self,
        theta: NDArray[np.float32],
        noise_keys: NDArray[np.uint64],
        *,
        noise: NDArray[np.float32] | None = None,
        dtype: Dtype = "float32",
    ) -> Any:
        """As `render`, but the audio (B, T) stays on the card, in memory of its own, for a consumer in this process.

        It has `__cuda_array_interface__`: `torch.as_tensor(audio, device="cuda")` shares the memory, without a copy.
        The sounds are whole when this returns.

        Raises:
            ConfigError: as `render`, or the device is a CPU.
        """
        on_card = getattr(self._player, "play_on_card", None)
        if on_card is None:
            raise ConfigError(f"device={self.device!r} has no memory of its own; use render, or device cuda")
        return on_card(*self._checked(theta, noise_keys, noise), dtype)

    def close(self) -> None:
        """See `Engine.close`."""
        self._player.close()

    def _checked(
        self, theta: NDArray[Any], noise_keys: NDArray[Any], noise: NDArray[Any] | None
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        theta = checks.check_theta(theta, self.parameters)
        checks.check_keys(noise_keys, len(theta))
        if noise is None:
            noise = np.empty((len(theta), 0), np.float32)
        else:
            checks.check_noise(noise, len(theta), self._samples)
        return _plain(theta), _plain(noise_keys), _plain(noise)


def _player(wiring: Wiring, form: Grid, device: str, threads: int | None) -> Player:
    """The player of a device; what it needs is loaded only now."""
    if device == "cpu":
        from synth_server.engines.fused.cpu_player import CpuPlayer  # noqa: PLC0415

        return CpuPlayer(wiring, form, threads)
    from synth_server.engines.fused.cuda.card import find_card  # noqa: PLC0415

    card = find_card(device)
    from synth_server.engines.fused.cuda.player import CudaPlayer  # noqa: PLC0415

    return CudaPlayer(wiring, form, card)


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """The array as the kernel was compiled for: for any other layout, or one not writable, numba would compile anew."""
    return np.require(array, requirements=["C", "A", "W"])
