"""ResNets for log-mel pictures, with torchvision's key names.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016. ResNet-18 is the paper's encoder. It differs from
torchvision's in three things, as the paper's does: one input channel, a bias in `conv1`, and a final layer of 512
outputs that is the embedding; ResNet-50 likewise. `width` is 64 as published; a smaller one makes every layer
proportionally narrower, for machines without a GPU.

It is no projector: nothing stands between `fc` and the objective, and nothing is normalised here.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from trainer.encoders.encoder import Encoder

EMBEDDING = 512


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: (B, C_in, H, W) -> (B, C, H / stride, W / stride)."""

    expansion = 1

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = _conv(channels_in, channels, 3, stride)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = _conv(channels, channels, 3, 1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = _shortcut(channels_in, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        added: Tensor = self.bn2(self.conv2(y)) + shortcut
        return self.relu(added)  # type: ignore[no-any-return]


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions and a shortcut: (B, C_in, H, W) -> (B, 4 C, H / stride, W / stride).

    The stride is in the 3x3 convolution, as torchvision has it.
    """

    expansion = 4

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        wide = self.expansion * channels
        self.conv1 = _conv(channels_in, channels, 1, 1)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = _conv(channels, channels, 3, stride)
        self.bn2 = nn.BatchNorm2d(channels)
        self.conv3 = _conv(channels, wide, 1, 1)
        self.bn3 = nn.BatchNorm2d(wide)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(channels_in, wide, stride)

    def forward(self, x: Tensor) -> Tensor:
        """relu(bn3(conv3(relu(bn2(conv2(relu(bn1(conv1(x)))))))) + shortcut(x))."""
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        added: Tensor = self.bn3(self.conv3(y)) + shortcut
        return self.relu(added)  # type: ignore[no-any-return]


class ResNet(Encoder):
    """Log-mel (B, 1, frames, bands) -> embedding (B, 512).

    Args:
        block: BasicBlock or Bottleneck.
        blocks: how many of them in each of the four layers.
        width: channels of the first convolution, 64 as published.
    """

    def __init__(self, block: type[BasicBlock] | type[Bottleneck], blocks: Sequence[int], width: int) -> None:
        super().__init__()
        self.feature_size = 8 * width * block.expansion
        self.embedding_size = EMBEDDING
        self.conv1 = nn.Conv2d(1, width, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        wide = block.expansion * width
        self.layer1 = _layer(block, blocks[0], width, width, stride=1)
        self.layer2 = _layer(block, blocks[1], wide, 2 * width, stride=2)
        self.layer3 = _layer(block, blocks[2], 2 * wide, 4 * width, stride=2)
        self.layer4 = _layer(block, blocks[3], 4 * wide, 8 * width, stride=2)
        self.fc = nn.Linear(8 * wide, EMBEDDING)

    def features(self, x: Tensor) -> Tensor:
        """The pooled layer: (B, 1, frames, bands) -> (B, 8 * width), or four times as many of ResNet-50."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))

    def embed(self, features: Tensor) -> Tensor:
        """The final layer: (B, F) -> (B, 512)."""
        embedding: Tensor = self.fc(features)
        return embedding


def resnet18(width: int = 64) -> ResNet:
    """At width 64: 11.43 million parameters."""
    return ResNet(BasicBlock, (2, 2, 2, 2), width)


def resnet50(width: int = 64) -> ResNet:
    """At width 64: 24.55 million parameters."""
    return ResNet(Bottleneck, (3, 4, 6, 3), width)


def _conv(channels_in: int, channels: int, size: int, stride: int) -> nn.Conv2d:
    """Without bias, initialised as torchvision does; the paper puts in its own `conv1`, with PyTorch's default."""
    conv = nn.Conv2d(channels_in, channels, size, stride=stride, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def _shortcut(channels_in: int, channels: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and channels_in == channels:
        return None
    return nn.Sequential(_conv(channels_in, channels, 1, stride), nn.BatchNorm2d(channels))


def _layer(
    block: type[BasicBlock] | type[Bottleneck], blocks: int, channels_in: int, channels: int, *, stride: int
) -> nn.Sequential:
    first = block(channels_in, channels, stride)
    return nn.Sequential(first, *(block(block.expansion * channels, channels, 1) for _ in range(blocks - 1)))
