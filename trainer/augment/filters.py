"""High- and low-pass filters and impulse responses: what is a product in the frequency domain.

Butterworth's magnitudes, in the form that the bilinear transform gives them, without a shift in phase: order n has
the magnitude of `scipy.signal.butter(n)` and is down by 3 dB at the cutoff. Filters in a row are one product,
so all of them together cost one FFT there and one back.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: 24 dB per octave.
ORDER = 4


def high_pass(cutoff: Tensor, samples: int, rate: int, order: int = ORDER) -> Tensor:
    """Responses (B, samples + 1) of filters that let pass what is above their cutoffs (B,), in hertz."""
    x, at = _warped(cutoff, samples, rate)
    passed: Tensor = (1.0 + (at / x) ** (2 * order)).rsqrt()
    return passed


def low_pass(cutoff: Tensor, samples: int, rate: int, order: int = ORDER) -> Tensor:
    """Responses (B, samples + 1) of filters that let pass what is below their cutoffs (B,), in hertz."""
    x, at = _warped(cutoff, samples, rate)
    passed: Tensor = (1.0 + (x / at) ** (2 * order)).rsqrt()
    return passed


def impulse(responses: Tensor, samples: int) -> Tensor:
    """Impulse responses (B, L) -> their responses (B, samples + 1); what is longer than the sound is not heard."""
    spectra: Tensor = torch.fft.rfft(responses[:, :samples], n=2 * samples)
    return spectra


def filtered(audio: Tensor, response: Tensor) -> Tensor:
    """Sounds (B, T) through responses (B, T + 1), of twice the length, so that no end runs into the beginning."""
    samples = audio.shape[-1]
    through: Tensor = torch.fft.irfft(torch.fft.rfft(audio, n=2 * samples) * response, n=2 * samples)
    return through[:, :samples]


def _warped(cutoff: Tensor, samples: int, rate: int) -> tuple[Tensor, Tensor]:
    """The frequencies of the FFT's bins (samples + 1,), and the cutoffs (B, 1), as tan(pi f / rate).

    Zero and half the sample rate are moved inside by a little, where the tangent is finite; so are cutoffs beyond.
    """
    highest = 0.5 - 1e-6
    bins = torch.arange(samples + 1, device=cutoff.device, dtype=torch.float64) / (2 * samples)
    at = (cutoff.double() / rate).clamp(max=highest)[:, None]
    return torch.tan(torch.pi * bins.clamp(1e-6, highest)).float(), torch.tan(torch.pi * at).float()
