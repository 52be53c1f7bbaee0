"""The engine `torchsynth`: the reference. torchsynth's mathematics, any patch, any torch device.

It cuts a call into chunks of fixed size, padded with a sound that is thrown away, and plays each in one thread:
so a sound's bytes depend on nothing but itself. How a chunk is played: `circuit.py`.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pairstream import sendable
from pairstream.errors import ConfigError
from pairstream.spec import Dtype
from synth_server import noise as noise_of
from synth_server.engines import checks
from synth_server.engines.bank import Format
from synth_server.engines.circuit import Circuit
from synth_server.engines.fingerprint import fingerprint
from synth_server.engines.lanes import Lanes
from synth_server.patches import Patch

#: Sounds per chunk. Must be a multiple of 32: then the vectorised loops of torch, up to 32 wide, end where rows end.
CHUNK_SOUNDS = {"cpu": 32, "cuda": 512}


class TorchsynthEngine:
    """See `Engine`; the settings are those of `load_engine`."""

    name = "torchsynth"

    def __init__(
        self, patch: Patch, *, sample_rate: int, seconds: float, control_rate: int, device: str, threads: int | None
    ) -> None:
        self.synth, self.sample_rate, self.seconds, self.control_rate = patch.name, sample_rate, seconds, control_rate
        self.device = device
        self._patch, self.parameters = patch, patch.parameters
        where = _device(device)
        self._form = Format(
            sounds=CHUNK_SOUNDS[where.type],
            sample_rate=sample_rate,
            control_rate=control_rate,
            seconds=seconds,
            device=where,
        )
        self._lanes = Lanes(threads if where.type == "cpu" else 1)
        (self.fingerprint,) = self._lanes.map(lambda patch: fingerprint(patch, self._form), [patch])
        self._own = threading.local()

    def render(
        self,
        theta: NDArray[np.float32],
        noise_keys: NDArray[np.uint64],
        *,
        noise: NDArray[np.float32] | None = None,
        dtype: Dtype = "float32",
    ) -> NDArray[Any]:
        """See `Engine.render`."""
        theta = checks.check_theta(theta, self.parameters)
        checks.check_keys(noise_keys, len(theta))
        if noise is not None:
            checks.check_noise(noise, len(theta), self._form.samples)
        audio = sendable.empty((len(theta), self._form.samples), dtype)

        def play(first: int) -> None:
            rows = slice(first, first + self._form.sounds)
            self._play(theta[rows], noise_keys[rows], None if noise is None else noise[rows], audio[rows])

        self._lanes.map(play, range(0, len(theta), self._form.sounds))
        return audio

    def close(self) -> None:
        """See `Engine.close`."""
        self._lanes.close()

    @torch.inference_mode()
    def _play(self, theta: NDArray[Any], keys: NDArray[Any], noise: NDArray[Any] | None, audio: NDArray[Any]) -> None:
        """Play at most one chunk of sounds into `audio`, in a lane."""
        form = self._form
        sounds = torch.from_numpy(_padded(theta, form.sounds, 0.5)).to(form.device)
        if noise is None:
            hiss = noise_of.white(_padded(keys, form.sounds, 0), form.samples, form.device)
        else:
            hiss = torch.from_numpy(_padded(noise, form.sounds, 0.0)).to(form.device)
        played = self._circuit().play(sounds, hiss)
        torch.from_numpy(audio).copy_(played[: len(audio)])

    def _circuit(self) -> Circuit:
        """This thread's own circuit."""
        if not hasattr(self._own, "circuit"):
            self._own.circuit = Circuit(self._patch, self._form)
        circuit: Circuit = self._own.circuit
        return circuit


def _padded(rows: NDArray[Any], count: int, fill: float) -> NDArray[Any]:
    """`rows` in an array of `count` rows, the rest filled with `fill`."""
    padded = np.full((count, *rows.shape[1:]), fill, rows.dtype)
    padded[: len(rows)] = rows
    return padded


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device={name!r} cannot be used ({error}); use cpu, cuda or cuda:N") from error
    if device.type not in CHUNK_SOUNDS:
        raise ConfigError(f"device={name!r} is not supported; use {', '.join(CHUNK_SOUNDS)} or cuda:N")
    return device
