"""Engine: what turns theta into audio, as the rest of the worker sees it. A protocol, without any mathematics.

The third arrow on the way of a block. Which engines there are: `engines/__init__.py`.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pairstream.spec import Dtype
from synth_server.patches import Parameter, Patch


class Engine(Protocol):
    """A synthesizer ready to play sounds of one length at one rate on one device.

    The bytes of a sound depend on its theta and its noise key only: not on the other sounds of the call, on
    their number or order, nor on the number of threads. `render` may be called from several threads at once.
    """

    name: str
    """The name it was loaded by."""
    synth: str
    """The name of the patch it plays."""
    sample_rate: int
    """Samples of audio per second, in hertz."""
    seconds: float
    """Length of a sound."""
    control_rate: int
    """Samples of envelopes and LFOs per second, in hertz."""
    device: str
    """Where it computes, in torch's words: cpu, cuda, cuda:1."""
    parameters: tuple[Parameter, ...]
    """The columns of theta."""
    fingerprint: str
    """Engine, versions and capability of the device: equal fingerprints promise equal bytes."""

    def render(
        self,
        theta: NDArray[np.float32],
        noise_keys: NDArray[np.uint64],
        *,
        noise: NDArray[np.float32] | None = None,
        dtype: Dtype = "float32",
    ) -> NDArray[Any]:
        """Play B sounds: theta (B, P) in [0, 1] and keys (B,) -> audio (B, T) in [-1, 1], C-contiguous.

        Values below 1e-6 are played as 1e-6. A sound whose peak exceeds 1 is scaled to a peak of 1.

        Args:
            theta: the parameters of the sounds, float32 (B, P).
            noise_keys: which noise each sound has, uint64 (B,).
            noise: the noise itself, float32 (B, T) in [-1, 1], instead of that of the keys.
            dtype: of the samples: float32, or float16 rounded to nearest from it.

        Raises:
            ConfigError: a shape, type or value is not as stated; nothing was rendered.
        """
        ...

    def close(self) -> None:
        """Stop the engine's threads; it renders no more. Harmless if repeated."""
        ...


class EngineFactory(Protocol):
    """How an engine is made: the constructor of its class. `load_engine` describes the settings."""

    def __call__(self, patch: Patch, **settings: Any) -> Engine:
        """Make the engine that plays `patch`."""
        ...
