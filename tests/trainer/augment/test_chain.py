"""The chain: every sound in its own way, a pure function of (seed, number), and as often as the settings say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from trainer.augment.chain import Chain
from trainer.augmentation import SETS, Augmentation

AUDIO = torch.from_numpy(np.random.default_rng(0).standard_normal((24, 2, 4_000)).astype(np.float32) * 0.1)
ONE_BY_ONE = {
    "pitch": Augmentation(pitch_p=0.5),
    "high_pass": Augmentation(high_pass_p=0.5),
    "low_pass": Augmentation(low_pass_p=0.5),
    "reverb": Augmentation(reverb_p=0.5),
    "shift": Augmentation(shift_p=0.5),
    "noise": Augmentation(noise_p=0.5),
    "gain": Augmentation(gain_p=0.5),
    "polarity": Augmentation(polarity_p=0.5),
}


def chain(settings: Augmentation, seed: int = 0) -> Chain:
    return Chain(settings, seed=seed, rate=16_000)


@pytest.mark.parametrize("name", ["paper", "strong"])
def test_a_sound_is_changed_by_its_number_alone(name: str) -> None:
    settings = SETS[name]  # type: ignore[index]
    whole = chain(settings)(AUDIO, 100)
    np.testing.assert_allclose(chain(settings)(AUDIO[6:10], 106), whole[6:10], atol=2e-6)
    assert torch.equal(chain(settings)(AUDIO, 100), whole)
    assert not torch.equal(chain(settings)(AUDIO, 101), whole)
    assert not torch.equal(chain(settings, seed=1)(AUDIO, 100), whole)


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_each_operation_changes_half_of_the_sounds_where_p_is_a_half(name: str) -> None:
    changed = chain(ONE_BY_ONE[name])(AUDIO, 0)
    moved = ((changed - AUDIO).abs().amax(dim=2) > 1e-3).flatten()
    assert 0.25 < float(moved.float().mean()) < 0.75
    assert changed.isfinite().all()
    kept = ~moved.reshape(24, 2)
    np.testing.assert_allclose(changed[kept], AUDIO[kept], atol=1e-5)


def test_the_views_of_a_pair_are_changed_apart() -> None:
    twice = AUDIO[:, :1].expand(-1, 2, -1)
    changed = chain(SETS["paper"])(twice, 0)
    assert float(((changed[:, 0] - changed[:, 1]).abs().amax(dim=1) > 1e-3).float().mean()) > 0.8


def test_half_precision_comes_back_whole_and_silence_stays_silent() -> None:
    changed = chain(SETS["strong"])(AUDIO.half(), 0)
    assert (changed.dtype, changed.shape) == (torch.float32, AUDIO.shape)
    assert not chain(SETS["strong"])(torch.zeros(4, 2, 4_000), 0).any()


def test_ranges_are_kept() -> None:
    gained = chain(Augmentation(gain_p=1.0, gain_db=(6.0, 6.0)))(AUDIO, 0)
    np.testing.assert_allclose(gained, AUDIO * 10 ** (6 / 20), rtol=1e-5)
    rolled = chain(Augmentation(shift_p=1.0, shift_fraction=(0.25, 0.25)))(AUDIO, 0)
    assert torch.equal(rolled, AUDIO.roll(1_000, dims=2))


def test_rooms_of_a_folder_are_used_instead_of_artificial_ones() -> None:
    responses = torch.zeros(1, 300)
    responses[0, 100] = 1.0
    settings = replace(ONE_BY_ONE["reverb"], reverb_p=1.0)
    late = Chain(settings, seed=0, rate=16_000, responses=responses)(AUDIO, 0)
    np.testing.assert_allclose(late[..., 100:], AUDIO[..., :-100], atol=1e-5)
