"""The noise against a scalar oracle in plain integers, and as noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synth_server.noise import white

KEYS = np.random.default_rng(0).integers(0, 2**64, 24, dtype=np.uint64)


def oracle(key: int, t: int) -> float:
    """Sample t of the noise with this key, written down once more in unbounded integers."""

    def half(x: int, shift: int, multiplier: int) -> int:
        return (x ^ x >> shift) * multiplier % 2**32

    def mix(x: int) -> int:
        return half(half(half(x, 16, 0x7FEB352D), 15, 0x846CA68B), 16, 0x7FEB352D)

    start = mix((key + 0x9E3779B9) % 2**32)
    salt = mix(key >> 32 ^ start)
    start = mix((start + salt) % 2**32)
    x = half((t * 0x9E3779B9 + start) % 2**32, 16, 0x7FEB352D) ^ salt
    x = half(x, 15, 0x846CA68B)
    signed = x - 2**32 if x >= 2**31 else x
    return (signed >> 8) / 2**23


def test_the_noise_is_that_of_the_oracle_bit_by_bit() -> None:
    keys = np.array([0, 1, 2**32, 2**63, 2**64 - 1, *KEYS[:3]], np.uint64)
    noise = white(keys, 500)
    assert noise.dtype == torch.float32
    assert noise.tolist() == [[oracle(int(key), t) for t in range(500)] for key in keys]


def test_a_late_sample_is_that_of_the_oracle_too() -> None:
    noise = white(KEYS[:1], 3_000_000)[0]
    assert [noise[t].item() for t in (2_000_000, 2_999_999)] == [
        oracle(int(KEYS[0]), t) for t in (2_000_000, 2_999_999)
    ]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_makes_the_same_noise() -> None:
    assert torch.equal(white(KEYS, 16_000, "cuda").cpu(), white(KEYS, 16_000))


def test_a_sounds_noise_depends_on_its_key_only() -> None:
    together = white(KEYS, 1001)
    for row, key in enumerate(KEYS):
        assert torch.equal(white(np.array([key]), 1001)[0], together[row])
        assert torch.equal(white(np.array([key]), 77)[0], together[row, :77])


def test_the_samples_are_uniform() -> None:
    noise = white(KEYS, 16_000).double()
    assert noise.min() >= -1.0
    assert noise.max() < 1.0
    assert abs(noise.mean().item()) < 4 / (3 * noise.numel()) ** 0.5
    assert noise.var().item() == pytest.approx(1 / 3, rel=0.005)
    counts = torch.histc(noise.float(), bins=256, min=-1, max=1)
    expected = noise.numel() / 256
    assert ((counts - expected) ** 2 / expected).sum().item() == pytest.approx(255, abs=5 * (2 * 255) ** 0.5)


def test_no_lag_is_correlated() -> None:
    """5 standard errors of 1/sqrt(samples) over every lag of every sound."""
    spectrum = torch.fft.rfft(white(KEYS, 16_384), dim=1)
    lags = torch.fft.irfft(spectrum.abs() ** 2, dim=1)[:, 1:8_192] / (16_384 / 3)
    assert lags.abs().max().item() < 5.5 / 16_384**0.5
    assert lags.std().item() == pytest.approx(1 / 16_384**0.5, rel=0.05)


@pytest.mark.parametrize("key", [0, int(KEYS[0])])
def test_keys_that_differ_in_one_bit_give_unrelated_noise(key: int) -> None:
    keys = np.array([key, *(key ^ 1 << bit for bit in range(64))], np.uint64)
    correlation = np.corrcoef(white(keys, 16_000).numpy().astype(np.float64)) - np.eye(65)
    assert np.abs(correlation).max() < 5.5 / 16_000**0.5


def test_the_spectrum_is_white() -> None:
    power = (torch.fft.rfft(white(KEYS, 16_384), dim=1).abs() ** 2).mean(0)[1:-1]
    bands = power[:8128].reshape(64, -1).mean(1)
    assert (bands / bands.mean() - 1).abs().max().item() < 0.1
