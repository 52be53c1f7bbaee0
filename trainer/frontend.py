"""LogMel: audio to the 96 x 64 log-mel picture that the encoder sees. The paper's (VGGish's) front end.

It has no trained part and normalises nothing: a level is a level. It runs on the trainer's device,
in float32 whatever the precision of the training, because log(mel + 0.01) does not survive bfloat16.
On the way of a block it stands between the stream's batch (N, 2, T) and the encoder.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pairstream.errors import ConfigError

SAMPLE_RATE = 16_000
FRAME = 400
HOP = 160
FFT = 512
BANDS = 64
LOWEST_HZ = 125.0
HIGHEST_HZ = 7_500.0
OFFSET = 0.01
EXAMPLE_FRAMES = 96

#: Samples that give exactly one example: 15,600, that is 0.975 s.
EXAMPLE_SAMPLES = (EXAMPLE_FRAMES - 1) * HOP + FRAME


def mel_filterbank() -> NDArray[np.float64]:
    """Weights (257, 64) from magnitude bins to mel bands: triangles on mel(f) = 1127 ln(1 + f/700)."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    low, high = mel(np.array([LOWEST_HZ, HIGHEST_HZ]))
    edges = np.linspace(low, high, BANDS + 2)
    bins = mel(np.linspace(0.0, SAMPLE_RATE / 2, FFT // 2 + 1))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0  # the DC bin says nothing about a sound
    return weights


def check_length(samples: int) -> None:
    """Raises ConfigError if a sound of so many samples gives no picture."""
    if samples < EXAMPLE_SAMPLES:
        raise ConfigError(
            f"{samples} samples are too few for one log-mel example of {EXAMPLE_SAMPLES}; "
            "use a stream with seconds=1.0 or more"
        )


class LogMel(nn.Module):
    """log(mel(|rfft(window * frame)|) + 0.01), 100 frames a second, 64 bands.

    Raises:
        ConfigError: the sample rate is not 16 kHz, or a sound is shorter than one example.
    """

    window: Tensor
    filterbank: Tensor

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        super().__init__()
        if sample_rate != SAMPLE_RATE:
            raise ConfigError(
                f"sample_rate={sample_rate} does not fit the log-mel front end; use a stream of {SAMPLE_RATE} Hz"
            )
        periodic_hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(FRAME) / FRAME)
        self.register_buffer("window", torch.from_numpy(periodic_hann).float(), persistent=False)
        self.register_buffer("filterbank", torch.from_numpy(mel_filterbank()).float(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Audio (B, T) in [-1, 1], float32 or float16, T >= 15,600 -> the first 96 frames, (B, 1, 96, 64)."""
        check_length(audio.shape[-1])
        return self.frames(audio[..., :EXAMPLE_SAMPLES]).unsqueeze(1)

    def frames(self, audio: Tensor) -> Tensor:
        """Audio (B, T), T >= 400 -> every frame, (B, 1 + (T - 400) // 160, 64)."""
        with torch.autocast(audio.device.type, enabled=False):
            cut = audio.float().unfold(-1, FRAME, HOP)
            magnitude = torch.fft.rfft(cut * self.window, n=FFT).abs()
            return torch.log(magnitude @ self.filterbank + OFFSET)
