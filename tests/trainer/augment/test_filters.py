"""Filters against scipy's Butterworth and plain convolution."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import signal

from trainer.augment.filters import filtered, high_pass, impulse, low_pass

RATE, SAMPLES = 16_000, 4_000


def noise(count: int, samples: int = SAMPLES) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((count, samples)).astype(np.float32))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize(("make", "kind"), [(high_pass, "highpass"), (low_pass, "lowpass")])
def test_a_response_has_the_magnitude_of_scipys_butterworth(make: object, kind: str, order: int) -> None:
    cutoffs = [20.0, 800.0, 1_200.0, 7_000.0]
    assert callable(make)
    responses = make(torch.tensor(cutoffs), SAMPLES, RATE, order)
    for response, cutoff in zip(responses, cutoffs, strict=True):
        sections = signal.butter(order, cutoff, kind, fs=RATE, output="sos")
        _, expected = signal.freqz_sos(sections, worN=np.linspace(0, np.pi, SAMPLES + 1))
        np.testing.assert_allclose(response[1:-1], np.abs(expected)[1:-1], atol=2e-4)


def test_a_filter_twice_is_scipys_run_forwards_and_backwards() -> None:
    cutoffs = [200.0, 500.0, 800.0]
    sounds = torch.zeros(3, SAMPLES)
    sounds[:, 1_000:3_000] = noise(3, 2_000)
    through = filtered(sounds, high_pass(torch.tensor(cutoffs), SAMPLES, RATE, 2) ** 2)
    for sound, done, cutoff in zip(sounds, through, cutoffs, strict=True):
        sections = signal.butter(2, cutoff, "highpass", fs=RATE, output="sos")
        expected = signal.sosfiltfilt(sections, np.pad(sound, SAMPLES), padtype=None)[SAMPLES:-SAMPLES]
        np.testing.assert_allclose(done, expected, atol=2e-3)


def test_a_low_pass_beyond_half_the_rate_changes_next_to_nothing() -> None:
    sounds = noise(1)
    through = filtered(sounds, low_pass(torch.tensor([8_000.0]), SAMPLES, RATE))
    np.testing.assert_allclose(through, sounds, atol=0.05)


def test_an_impulse_response_is_a_convolution_cut_to_the_sound() -> None:
    sounds, responses = noise(4), noise(4, 900)
    through = filtered(sounds, impulse(responses, SAMPLES))
    for sound, response, done in zip(sounds, responses, through, strict=True):
        expected = signal.fftconvolve(sound.double(), response.double())[:SAMPLES]
        np.testing.assert_allclose(done, expected, atol=1e-3)


def test_nothing_runs_from_one_end_into_the_other() -> None:
    sounds = torch.zeros(1, SAMPLES)
    sounds[0, -1] = 1.0
    response = torch.zeros(1, 300)
    response[0, 200] = 1.0
    assert filtered(sounds, impulse(response, SAMPLES)).abs().max() < 1e-6
