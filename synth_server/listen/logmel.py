"""The picture of a sound: log-mel levels, for eyes. At 16 kHz, frame by frame what the paper's encoder sees.

Written with NumPy because a machine that serves the page need not have a trainer; a test holds it to the trainer's own.
At other rates window and hop keep their lengths in seconds, a sine keeps its level, and the highest band its place
below half the rate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS, HOP_SECONDS = 0.025, 0.010
WINDOW_AT_16_KHZ = 400
BANDS = 64
LOWEST_HZ = 125.0
#: The highest frequency shown, as a share of the sample rate: 7,500 Hz at 16 kHz.
HIGHEST = 7_500 / 16_000
OFFSET = 0.01
LEAST_FFT = 512
#: The least level is silence, the greatest a sine at full scale: log(0.01) to -log(0.01), that is 80 dB.
SILENCE, FULL_SCALE = np.log(OFFSET), -np.log(OFFSET)


def log_mel(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Samples (T,) -> log(mel(|rfft(window * frame)|) + 0.01), (frames, 64); a short sound is filled with silence."""
    window, hop = round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    size = max(LEAST_FFT, 1 << (window - 1).bit_length())
    padded = np.pad(samples.astype(np.float64), (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    periodic_hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    magnitude = np.abs(np.fft.rfft(frames * periodic_hann, n=size)) * (WINDOW_AT_16_KHZ / window)
    levels: NDArray[np.float64] = np.log(magnitude @ _filterbank(size, sample_rate) + OFFSET)
    return levels


def picture(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.uint8]:
    """The same as (frames, 64) bytes: 0 is silence, 255 a sine at full scale, evenly in decibels."""
    share = (log_mel(samples, sample_rate) - SILENCE) / (FULL_SCALE - SILENCE)
    levels: NDArray[np.uint8] = np.round(255.0 * np.clip(share, 0.0, 1.0)).astype(np.uint8)
    return levels


def band_edges(sample_rate: int) -> NDArray[np.float64]:
    """Where the bands begin, peak and end, in hertz, (66,): band i reaches from edge i to edge i + 2."""
    low, high = _mel(np.array([LOWEST_HZ, HIGHEST * sample_rate]))
    edges: NDArray[np.float64] = 700.0 * np.expm1(np.linspace(low, high, BANDS + 2) / 1127.0)
    return edges


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(hertz / 700.0))


def _filterbank(size: int, sample_rate: int) -> NDArray[np.float64]:
    """Weights (size // 2 + 1, 64): triangles on the mel scale."""
    edges = _mel(band_edges(sample_rate))
    bins = _mel(np.linspace(0.0, sample_rate / 2, size // 2 + 1))[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    weights[0] = 0.0  # the DC bin says nothing about a sound
    return weights
