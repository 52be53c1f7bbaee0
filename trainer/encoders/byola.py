"""The CNN of BYOL-A: Niizumi et al., "BYOL for Audio", IJCNN 2021; its code calls it AudioNTT2020.

Three 3x3 convolutions, each followed by pooling to half of time and of frequency; then two layers that see the channels
and bands of one moment at a time; then the mean plus the maximum over time. It differs in one thing: the authors'
drops 30 % of the hidden layer at random, and this one nothing, so that a resumed training ends with the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from pairstream.errors import ConfigError
from trainer.encoders.encoder import Encoder

#: What is left of a picture's side: an eighth.
SHRINKING = 8


class ByolA(Encoder):
    """Log-mel (B, 1, frames, bands) -> embedding (B, size).

    Args:
        bands: of the pictures; the layers after the convolutions are made for so many.
        channels: of the three convolutions, 64 each as published.
        size: D, 2048 as published in 2021.
        strides: every convolution takes every second place instead of being pooled.

    Raises:
        ConfigError: there are too few bands to be halved three times.
    """

    def __init__(
        self, bands: int, channels: Sequence[int] = (64, 64, 64), size: int = 2048, *, strides: bool = False
    ) -> None:
        super().__init__()
        if bands < SHRINKING:
            raise ConfigError(f"frontend.bands={bands} are too few for this encoder; use at least {SHRINKING}")
        self.feature_size = self.embedding_size = size
        stride = 2 if strides else 1
        layers = [layer for before, here in pairwise((1, *channels)) for layer in _block(before, here, stride)]
        self.blocks = nn.Sequential(*layers)
        left = -(-bands // SHRINKING) if strides else bands // SHRINKING  # a stride keeps what pooling leaves out
        self.fc = nn.Sequential(
            nn.Linear(channels[-1] * left, size),
            nn.ReLU(inplace=True),
            nn.Linear(size, size),
            nn.ReLU(),
        )

    def features(self, x: Tensor) -> Tensor:
        """The pooled layer, which is the final one: (B, 1, frames, bands) -> (B, size)."""
        moments = self.blocks(x).permute(0, 2, 3, 1).flatten(2)  # (B, frames / 8, bands / 8 * channels)
        said: Tensor = self.fc(moments)  # (B, frames / 8, size)
        return said.mean(dim=1) + said.amax(dim=1)


def byola(bands: int, width: int = 64) -> ByolA:
    """As published: 5.3 million parameters."""
    return ByolA(bands, (width, width, width))


def byola_small(bands: int, width: int = 16) -> ByolA:
    """Of the same build, for a CPU: 0.55 million parameters, a fourteenth of the arithmetic."""
    return ByolA(bands, (width, 2 * width, 4 * width), size=512, strides=True)


def _block(channels_in: int, channels: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, channels, 3, padding=1, stride=stride)
    pooling = [nn.MaxPool2d(2)] if stride == 1 else []
    return [conv, nn.BatchNorm2d(channels), nn.ReLU(inplace=True), *pooling]
