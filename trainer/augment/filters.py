"""High- and low-pass filters and impulse responses: what is a product in the frequency domain.

Butterworth's magnitudes, in the form that the bilinear transform gives them, without a shift in phase: order n has
the magnitude of `scipy.signal.butter(n)` and is down by 3 dB at the cutoff. Filters in a row are one product,
so all of them together cost one FFT there and one back.
"""

from __future__ import annotations

from functools import lru_cache, reduce

import torch
from torch import Tensor

#: Shares of the sample rate up to which a tangent is taken.
HIGHEST = 0.5 - 1e-6
#: 24 dB per octave.
ORDER = 4


def high_pass(cutoff: Tensor, samples: int, rate: int, order: int = ORDER) -> Tensor:
    """Responses (B, samples + 1) of filters that let pass what is above their cutoffs (B,), in hertz."""
    x, at = _warped(cutoff, samples, rate)
    return _passed(at / x, order)


def low_pass(cutoff: Tensor, samples: int, rate: int, order: int = ORDER) -> Tensor:
    """Responses (B, samples + 1) of filters that let pass what is below their cutoffs (B,), in hertz."""
    x, at = _warped(cutoff, samples, rate)
    return _passed(x / at, order)


def impulse(responses: Tensor, samples: int) -> Tensor:
    """Impulse responses (B, L) -> their responses (B, samples + 1); what is longer than the sound is not heard."""
    spectra: Tensor = torch.fft.rfft(responses[:, :samples], n=2 * samples)
    return spectra


def filtered(audio: Tensor, response: Tensor) -> Tensor:
    """Sounds (B, T) through responses (B, T + 1), of twice the length, so that no end runs into the beginning."""
    samples = audio.shape[-1]
    through: Tensor = torch.fft.irfft(torch.fft.rfft(audio, n=2 * samples) * response, n=2 * samples)
    return through[:, :samples]


def _passed(beyond: Tensor, order: int) -> Tensor:
    """Magnitudes at frequencies that are so many times beyond the cutoff; `pow` would take most of the time."""
    squared = beyond.square()
    power = reduce(torch.mul, [squared] * order)
    return torch.rsqrt(1.0 + power)


def _warped(cutoff: Tensor, samples: int, rate: int) -> tuple[Tensor, Tensor]:
    """The frequencies of the FFT's bins (samples + 1,), and the cutoffs (B, 1), as tan(pi f / rate).

    Zero and half the sample rate are moved inside by a little, where the tangent is finite; so are cutoffs beyond.
    """
    at = (cutoff.double() / rate).clamp(max=HIGHEST)[:, None]
    return _warped_bins(samples, cutoff.device), torch.tan(torch.pi * at).float()


@lru_cache(maxsize=4)
def _warped_bins(samples: int, device: torch.device) -> Tensor:
    bins = torch.arange(samples + 1, device=device, dtype=torch.float64) / (2 * samples)
    return torch.tan(torch.pi * bins.clamp(1e-6, HIGHEST)).float()
