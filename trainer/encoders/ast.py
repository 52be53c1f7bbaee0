"""A transformer on patches of log-mel pictures, in the size of DeiT-tiny.

After Gong, Chung & Glass, "AST: Audio Spectrogram Transformer", Interspeech 2021, which overlaps its patches, learns
their positions and asks a token of its own. Here patches of 16 x 16 do not overlap, positions are fixed sines and
cosines of time and frequency, so that a picture may have any length, and what all patches say is averaged.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from pairstream.errors import ConfigError
from trainer.encoders.encoder import Encoder

PATCH = 16
HEAD = 64


class Block(nn.Module):
    """Attention, then a layer for every patch by itself, each on normalised input and added: (B, n, D) -> (B, n, D)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.heads = size // HEAD
        self.norm1 = nn.LayerNorm(size)
        self.qkv = nn.Linear(size, 3 * size)
        self.proj = nn.Linear(size, size)
        self.norm2 = nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))

    def forward(self, x: Tensor) -> Tensor:
        """x + attention(norm1(x)), and then x + mlp(norm2(x))."""
        queries, keys, values = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, HEAD)).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(queries, keys, values)  # (B, heads, n, 64)
        x = x + self.proj(seen.transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))  # type: ignore[no-any-return]


class Transformer(Encoder):
    """Log-mel (B, 1, frames, bands) -> embedding (B, size). Frames and bands beyond the last whole patch are not seen.

    Args:
        bands: of the pictures.
        size: D, a multiple of 64; 192 for the tiny one.
        depth: blocks.

    Raises:
        ConfigError: heads of 64 do not make up that size, or a patch is higher than a picture.
    """

    def __init__(self, bands: int, size: int = 192, depth: int = 12) -> None:
        super().__init__()
        if bands < PATCH:
            raise ConfigError(f"frontend.bands={bands} are too few for this encoder; use at least {PATCH}")
        if size % HEAD:
            raise ConfigError(f"width={size} is no size of this encoder; use a multiple of {HEAD}, such as 192")
        self.feature_size = self.embedding_size = size
        self.patches = nn.Conv2d(1, size, PATCH, stride=PATCH)
        self.blocks = nn.Sequential(*(Block(size) for _ in range(depth)))
        self.norm = nn.LayerNorm(size)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                nn.init.zeros_(layer.bias)

    def features(self, x: Tensor) -> Tensor:
        """The mean over the patches, which is the final layer: (B, 1, frames, bands) -> (B, size)."""
        patches = self.patches(x)  # (B, size, frames / 16, bands / 16)
        where = positions(patches.shape[2], patches.shape[3], patches.shape[1]).to(patches)
        pooled: Tensor = self.norm(self.blocks(patches.flatten(2).transpose(1, 2) + where)).mean(dim=1)
        return pooled


def positions(times: int, pitches: int, size: int) -> Tensor:
    """Where each patch is, (times * pitches, size): a quarter each of sine and cosine of time, then of frequency."""
    rates = torch.exp(torch.arange(size // 4) * (-math.log(10_000.0) / (size // 4)))
    time, pitch = torch.meshgrid(torch.arange(times), torch.arange(pitches), indexing="ij")
    angles = [place.flatten()[:, None] * rates for place in (time, pitch)]
    return torch.cat([wave(angle) for angle in angles for wave in (torch.sin, torch.cos)], dim=1)
