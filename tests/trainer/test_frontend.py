"""LogMel against an oracle in float64, and against the formula written out in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pairstream.errors import ConfigError
from trainer.frontend import EXAMPLE_SAMPLES, LogMel, mel_filterbank


def sounds(samples: int = 16_000) -> torch.Tensor:
    random = np.random.default_rng(0)
    time = np.arange(samples) / 16_000
    tones = np.sin(2 * np.pi * np.array([[110.0], [1_000.0], [7_000.0]]) * time)
    noise = random.uniform(-1, 1, (2, samples)) * np.array([[1.0], [1e-3]])
    return torch.from_numpy(np.concatenate([tones, noise, np.zeros((1, samples))])).float()


def mel(hertz: float) -> float:
    return 1127.0 * float(np.log(1.0 + hertz / 700.0))


def slow_filterbank() -> np.ndarray:
    edges = [mel(125.0) + band * (mel(7_500.0) - mel(125.0)) / 65 for band in range(66)]
    weights = np.zeros((257, 64))
    for row in range(1, 257):
        here = mel(row * 16_000 / 512)
        for band in range(64):
            low, centre, high = edges[band : band + 3]
            weights[row, band] = max(0.0, min((here - low) / (centre - low), (high - here) / (high - centre)))
    return weights


def slow_log_mel(audio: np.ndarray) -> np.ndarray:
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    frames = np.stack([audio[160 * k : 160 * k + 400] * window for k in range(96)])
    bins = np.exp(-2j * np.pi * np.outer(np.arange(400), np.arange(257)) / 512)
    return np.log(np.abs(frames @ bins) @ slow_filterbank() + 0.01)


def test_the_filterbank_is_the_slow_one() -> None:
    np.testing.assert_allclose(mel_filterbank(), slow_filterbank(), atol=1e-12)


def test_the_filterbank_ignores_dc_and_what_is_outside_125_to_7500_hertz() -> None:
    weights = mel_filterbank()
    assert not weights[:5].any()
    assert not weights[240:].any()
    assert (weights.sum(axis=0) > 0).all()


def test_log_mel_agrees_with_a_fourier_sum_in_float64() -> None:
    audio = sounds()
    fast = LogMel()(audio).numpy()[:, 0]
    slow = np.stack([slow_log_mel(sound) for sound in audio.double().numpy()])
    np.testing.assert_allclose(fast, slow, atol=1e-3)  # float32 rounds a loud tone by 1e-5, beside an offset of 1e-2


def test_log_mel_is_bit_equal_to_the_formula_in_torch() -> None:
    audio = sounds()
    window = torch.from_numpy(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)).float()
    spectrum = torch.fft.rfft(audio.unfold(1, 400, 160) * window, n=512).abs()
    expected = torch.log(torch.matmul(spectrum, torch.from_numpy(slow_filterbank()).float()) + 0.01)[:, None, :96]
    assert torch.equal(LogMel()(audio), expected)


def test_silence_is_log_of_the_offset_everywhere() -> None:
    assert torch.allclose(LogMel()(torch.zeros(1, 16_000)), torch.tensor(0.01).log())


@pytest.mark.parametrize("samples", [EXAMPLE_SAMPLES, 16_000, 48_000])
def test_any_sound_long_enough_gives_its_first_96_frames(samples: int) -> None:
    audio = sounds(48_000)[:, :samples]
    picture = LogMel()(audio)
    assert picture.shape == (6, 1, 96, 64)
    torch.testing.assert_close(picture, LogMel().frames(sounds(48_000))[:, None, :96])


def test_every_frame_of_a_second_is_98() -> None:
    assert LogMel().frames(sounds()).shape == (6, 98, 64)


def test_half_precision_audio_is_widened() -> None:
    audio = sounds().half()
    assert torch.equal(LogMel()(audio), LogMel()(audio.float()))


def test_autocast_does_not_reach_it() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        picture = LogMel()(sounds())
    assert torch.equal(picture, LogMel()(sounds()))


def test_nothing_of_it_is_in_a_checkpoint() -> None:
    assert not LogMel().state_dict()


def test_a_sound_too_short_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match=r"15599 samples.*15600.*seconds=1\.0"):
        LogMel()(torch.zeros(1, EXAMPLE_SAMPLES - 1))


def test_another_sample_rate_is_refused_with_the_remedy() -> None:
    with pytest.raises(ConfigError, match=r"44100.*16000 Hz"):
        LogMel(44_100)
