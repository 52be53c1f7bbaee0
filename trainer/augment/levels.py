"""Level, sign, place in time, and noise: operations that look at one sample at a time."""

from __future__ import annotations

import torch
from torch import Tensor


def rolled(audio: Tensor, by: Tensor) -> Tensor:
    """Sounds (B, T) later by so many samples (B,), int64; what leaves at the end comes in at the beginning."""
    samples = audio.shape[-1]
    places = torch.arange(samples, device=audio.device)
    return audio.gather(1, (places - by[:, None]) % samples)


def with_noise(audio: Tensor, noise: Tensor, snr_db: Tensor) -> Tensor:
    """Sounds (B, T) and noise (B, T), scaled so that the sounds are so many decibels (B,) above it; silence stays."""
    loudness, of_noise = (_rms(x) for x in (audio, noise))
    return audio + noise * (loudness / of_noise.clamp(min=1e-12)) * 10.0 ** (-snr_db[:, None] / 20.0)


def gained(audio: Tensor, gain_db: Tensor) -> Tensor:
    """Sounds (B, T) louder by so many decibels (B,)."""
    return audio * 10.0 ** (gain_db[:, None] / 20.0)


def turned(audio: Tensor, whether: Tensor) -> Tensor:
    """Sounds (B, T), those with True (B,) with the sign reversed."""
    return torch.where(whether[:, None], -audio, audio)


def _rms(audio: Tensor) -> Tensor:
    return audio.square().mean(dim=1, keepdim=True).sqrt()
