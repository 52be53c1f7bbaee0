"""Picture: which log-mel picture of a sound the encoder sees. Settings only; `frontend.py` computes it.

The defaults are VGGish's, which the paper took: 16 kHz, 25 ms windows every 10 ms, 64 bands of magnitudes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from pairstream.errors import ConfigError

Spectrum = Literal["magnitude", "power"]
Levels = Literal["as-they-are", "per-sound"]

#: Pictures are cut to whole multiples of so many frames, a column of patches of a transformer.
FRAMES_STEP = 16


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A log-mel picture: log(mel(|spectrum|) + offset), a frame every `hop` samples.

    Raises:
        ConfigError: a field is out of range; the message quotes the value and the remedy.
    """

    sample_rate: int = 16_000
    """Hertz. It must be the stream's."""
    fft: int = 512
    """Points of the Fourier transform; a shorter window is padded with zeros."""
    window: int = 400
    """Samples of a frame, under a periodic Hann window."""
    hop: int = 160
    """Samples from one frame to the next."""
    bands: int = 64
    """Mel bands."""
    lowest_hz: float = 125.0
    """Where the lowest band begins."""
    highest_hz: float = 7_500.0
    """Where the highest band ends; at most half of the sample rate."""
    spectrum: Spectrum = "magnitude"
    """What is summed in a band: magnitudes, as VGGish does, or their squares, power."""
    offset: float = 0.01
    """Added before the logarithm, so that silence is finite."""
    levels: Levels = "as-they-are"
    """as-they-are: a loud sound is a bright picture. per-sound: every picture has mean 0 and deviation 1."""

    def __post_init__(self) -> None:
        for name in ("sample_rate", "fft", "window", "hop", "bands"):
            if getattr(self, name) < 1:
                raise ConfigError(f"frontend.{name}={getattr(self, name)} is no count; use at least 1")
        if self.window > self.fft:
            raise ConfigError(f"frontend.window={self.window} does not fit in fft={self.fft}; use a larger fft")
        if not 0 <= self.lowest_hz < self.highest_hz <= self.sample_rate / 2:
            raise ConfigError(
                f"frontend.lowest_hz={self.lowest_hz:g} and highest_hz={self.highest_hz:g} bound no bands; "
                f"use 0 to {self.sample_rate / 2:g} Hz, half of the sample rate"
            )
        if not (math.isfinite(self.offset) and self.offset > 0):
            raise ConfigError(f"frontend.offset={self.offset!r} leaves silence infinite; use a number above 0")
        if self.spectrum not in get_args(Spectrum) or self.levels not in get_args(Levels):
            raise ConfigError(
                f"frontend.spectrum={self.spectrum!r} or levels={self.levels!r} is unknown; "
                f"use one of {', '.join(get_args(Spectrum))} and of {', '.join(get_args(Levels))}"
            )

    @property
    def shortest(self) -> int:
        """Samples that the shortest picture needs."""
        return (FRAMES_STEP - 1) * self.hop + self.window

    def frames(self, samples: int) -> int:
        """Frames of the picture of so many samples: all that fit, cut to a multiple of `FRAMES_STEP`.

        Raises:
            ConfigError: the sound is too short for a picture.
        """
        if samples < self.shortest:
            raise ConfigError(
                f"{samples} samples are too few for a log-mel picture, which takes {self.shortest}; "
                "use a stream with more seconds"
            )
        return (1 + (samples - self.window) // self.hop) // FRAMES_STEP * FRAMES_STEP
