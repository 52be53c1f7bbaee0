"""What looks at one sample at a time, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.augment.hash_noise import white
from trainer.augment.levels import gained, rolled, turned, with_noise

SOUNDS = torch.from_numpy(np.random.default_rng(1).standard_normal((4, 1_000)).astype(np.float32))


def test_a_shift_rolls_over_as_numpys() -> None:
    by = torch.tensor([0, 250, -250, 999])
    for sound, moved, places in zip(SOUNDS, rolled(SOUNDS, by), by, strict=True):
        assert np.array_equal(moved, np.roll(sound, int(places)))


@pytest.mark.parametrize("decibels", [-6.0, 0.0, 20.0])
def test_noise_is_as_far_below_the_sound_as_asked(decibels: float) -> None:
    noise = white(torch.arange(4), 1_000)
    added = with_noise(SOUNDS, noise, torch.full((4,), decibels)) - SOUNDS
    ratio = 10 * torch.log10(SOUNDS.square().mean(dim=1) / added.square().mean(dim=1))
    np.testing.assert_allclose(ratio, decibels, atol=0.01)


def test_silence_stays_silence() -> None:
    assert not with_noise(torch.zeros(1, 100), white(torch.tensor([3]), 100), torch.tensor([0.0])).any()


def test_gain_and_sign_are_per_sound() -> None:
    np.testing.assert_allclose(
        gained(SOUNDS, torch.tensor([0.0, 20.0, -20.0, 6.0206]))[1:, 0],
        SOUNDS[1:, 0] * torch.tensor([10.0, 0.1, 2.0]),
        rtol=1e-5,
    )
    signs = torch.tensor([True, False, True, False])
    assert torch.equal(turned(SOUNDS, signs), SOUNDS * torch.tensor([-1.0, 1.0, -1.0, 1.0])[:, None])


def test_hashed_noise_is_white_uniform_and_of_its_key() -> None:
    noise = white(torch.arange(64) * 67_108_859, 4_096)
    assert noise.min() >= -1.0
    assert noise.max() < 1.0
    assert float(noise.mean()) == pytest.approx(0.0, abs=0.005)
    assert float(noise.var()) == pytest.approx(1 / 3, abs=0.005)
    between = np.corrcoef(noise.numpy()) - np.eye(64)
    assert np.abs(between).max() < 0.08
    spectrum = torch.fft.rfft(noise).abs().square().mean(dim=0)[1:-1]
    assert float(spectrum.std() / spectrum.mean()) < 0.2
    assert torch.equal(white(torch.tensor([5]), 10), white(torch.tensor([4, 5]), 20)[1:, :10])
