"""ResNet-18 for log-mel pictures: the paper's encoder (He et al. 2016), with torchvision's key names.

It differs from torchvision's in three things, as the paper's does: one input channel, a bias in
`conv1`, and a final layer of 512 outputs that is the embedding. `width` is 64 in the paper; a
smaller one makes every layer proportionally narrower, for machines without a GPU.

It is no projector: nothing stands between `fc` and the loss, and nothing is normalised here.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from trainer.encoders.encoder import Encoder

EMBEDDING = 512


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: (B, C_in, H, W) -> (B, C, H / stride, W / stride)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels_in, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv(channels, channels, 3, 1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(_conv(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        """relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        added: Tensor = self.bn2(self.conv2(y)) + shortcut
        return self.relu(added)  # type: ignore[no-any-return]


class ResNet18(Encoder):
    """Log-mel (B, 1, frames, mels) -> embedding (B, 512). At width 64: 11.43 million parameters."""

    def __init__(self, width: int = 64, outputs: int = EMBEDDING) -> None:
        super().__init__()
        self.feature_size = 8 * width
        self.embedding_size = outputs
        self.conv1 = nn.Conv2d(1, width, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _layer(width, width, stride=1)
        self.layer2 = _layer(width, 2 * width, stride=2)
        self.layer3 = _layer(2 * width, 4 * width, stride=2)
        self.layer4 = _layer(4 * width, 8 * width, stride=2)
        self.fc = nn.Linear(8 * width, outputs)

    def features(self, x: Tensor) -> Tensor:
        """The pooled layer: (B, 1, frames, mels) -> (B, 8 * width)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))

    def embed(self, features: Tensor) -> Tensor:
        """The final layer: (B, 8 * width) -> (B, 512)."""
        embedding: Tensor = self.fc(features)
        return embedding


def _conv(channels_in: int, channels: int, size: int, stride: int) -> nn.Conv2d:
    """Without bias, initialised as torchvision does; the paper puts in its own `conv1`, with PyTorch's default."""
    conv = nn.Conv2d(channels_in, channels, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def _layer(channels_in: int, channels: int, stride: int) -> nn.Sequential:
    first = BasicBlock(channels_in, channels, stride)
    return nn.Sequential(OrderedDict({"0": first, "1": BasicBlock(channels, channels, 1)}))
