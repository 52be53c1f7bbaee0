"""The CNN of BYOL-A: Niizumi et al., "BYOL for Audio", IJCNN 2021; its code calls it AudioNTT2020.

Three 3x3 convolutions, each followed by pooling to half of time and of frequency; then two layers that see the channels
and bands of one moment at a time; then the mean plus the maximum over time. It differs in one thing: the authors'
drops 30 % of the hidden layer at random, and this one nothing, so that a resumed training ends with the same weights.
"""

from __future__ import annotations

from torch import Tensor, nn

from pairstream.errors import ConfigError
from trainer.encoders.encoder import Encoder

#: What three poolings leave of a picture's side.
SHRINKING = 8


class ByolA(Encoder):
    """Log-mel (B, 1, frames, bands) -> embedding (B, size).

    Args:
        bands: of the pictures; the layers after the convolutions are made for so many.
        width: channels of the convolutions, 64 as published.
        size: D, 2048 as published in 2021.

    Raises:
        ConfigError: there are too few bands to be pooled three times.
    """

    def __init__(self, bands: int, width: int = 64, size: int = 2048) -> None:
        super().__init__()
        if bands < SHRINKING:
            raise ConfigError(f"frontend.bands={bands} are too few for this encoder; use at least {SHRINKING}")
        self.feature_size = self.embedding_size = size
        self.blocks = nn.Sequential(*_block(1, width), *_block(width, width), *_block(width, width))
        self.fc = nn.Sequential(
            nn.Linear(width * (bands // SHRINKING), size), nn.ReLU(inplace=True), nn.Linear(size, size), nn.ReLU()
        )

    def features(self, x: Tensor) -> Tensor:
        """The pooled layer, which is the final one: (B, 1, frames, bands) -> (B, size)."""
        moments = self.blocks(x).permute(0, 2, 3, 1).flatten(2)  # (B, frames / 8, bands / 8 * width)
        said: Tensor = self.fc(moments)  # (B, frames / 8, size)
        return said.mean(dim=1) + said.amax(dim=1)


def _block(channels_in: int, channels: int) -> list[nn.Module]:
    conv = nn.Conv2d(channels_in, channels, 3, padding=1)
    return [conv, nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.MaxPool2d(2)]
