"""LogMel: audio to the log-mel picture that the encoder sees.

It has no trained part. It runs on the trainer's device, in float32 whatever the precision of the
training, because log(mel + 0.01) does not survive bfloat16. With the settings of a default `Picture` it is,
bit for bit, the paper's (VGGish's) front end. On the way of a block it stands between the stream's
batch (N, 2, T) and the encoder.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.picture import Picture

VGGISH = Picture()

#: Below this deviation a picture is flat, and is not blown up: silence stays silence.
FLAT = 1e-5

#: Sounds at a time on a CPU, so that what lies between the steps stays in its cache; a quarter faster than a batch.
AT_ONCE = 16


def mel_filterbank(picture: Picture = VGGISH) -> NDArray[np.float64]:
    """Weights (fft // 2 + 1, bands) from spectrum to mel bands: triangles on mel(f) = 1127 ln(1 + f/700)."""

    def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(1127.0 * np.log1p(hertz / 700.0))

    low, high = mel(np.array([picture.lowest_hz, picture.highest_hz]))
    edges = np.linspace(low, high, picture.bands + 2)
    bins = mel(np.linspace(0.0, picture.sample_rate / 2, picture.fft // 2 + 1))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0  # the DC bin says nothing about a sound
    return weights


class LogMel(nn.Module):
    """log(mel(|rfft(window * frame)|) + offset), as its `picture` says."""

    window: Tensor
    filterbank: Tensor

    def __init__(self, picture: Picture = VGGISH) -> None:
        super().__init__()
        self.picture = picture
        periodic_hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(picture.window) / picture.window)
        self.register_buffer("window", torch.from_numpy(periodic_hann).float(), persistent=False)
        self.register_buffer("filterbank", torch.from_numpy(mel_filterbank(picture)).float(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """Audio (B, T) in [-1, 1], float32 or float16 -> (B, 1, frames, bands); of a second, (B, 1, 96, 64).

        Raises:
            ConfigError: T is too short for a picture.
        """
        picture = self.picture
        samples = (picture.frames(audio.shape[-1]) - 1) * picture.hop + picture.window
        frames = self.frames(audio[..., :samples])
        if picture.levels == "per-sound":
            # Silence becomes exactly 0, in whatever arithmetic: no rounding of its mean can be blown up.
            frames = frames - frames.amin(dim=(1, 2), keepdim=True)
            deviation, mean = torch.std_mean(frames, dim=(1, 2), correction=0, keepdim=True)
            frames = (frames - mean) / deviation.clamp(min=FLAT)
        return frames.unsqueeze(1)

    def frames(self, audio: Tensor) -> Tensor:
        """Audio (B, T), T >= window -> every frame, (B, 1 + (T - window) // hop, bands), at its own level."""
        whole = audio.device.type != "cpu" or torch.compiler.is_exporting() or len(audio) <= AT_ONCE
        return self._frames(audio) if whole else torch.cat([self._frames(some) for some in torch.split(audio, AT_ONCE)])

    def _frames(self, audio: Tensor) -> Tensor:
        with torch.autocast(audio.device.type, enabled=False):
            cut = audio.float().unfold(-1, self.picture.window, self.picture.hop)
            spectrum = torch.fft.rfft(cut * self.window, n=self.picture.fft).abs()
            if self.picture.spectrum == "power":
                spectrum = spectrum.square()
            return torch.log(spectrum @ self.filterbank + self.picture.offset)
