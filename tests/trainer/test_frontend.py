"""LogMel against an oracle in float64, and against the formula written out in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pairstream.errors import ConfigError
from trainer.frontend import VGGISH, LogMel, mel_filterbank
from trainer.picture import Picture


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


@pytest.mark.parametrize(
    ("samples", "frames"), [(2_800, 16), (15_599, 80), (15_600, 96), (16_000, 96), (32_000, 192), (48_000, 288)]
)
def test_a_longer_sound_gives_a_longer_picture(samples: int, frames: int) -> None:
    picture = LogMel()(sounds(48_000)[:, :samples])
    assert picture.shape == (6, 1, frames, 64)
    torch.testing.assert_close(picture, LogMel().frames(sounds(48_000))[:, None, :frames])


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
    with pytest.raises(ConfigError, match=r"2799 samples.*2800.*more seconds"):
        LogMel()(torch.zeros(1, VGGISH.shortest - 1))


def settable(audio: np.ndarray, picture: Picture) -> np.ndarray:
    """The picture of one sound as its settings say, from sums in float64."""
    time = np.arange(picture.window)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * time / picture.window)
    bins = np.exp(-2j * np.pi * np.outer(time, np.arange(picture.fft // 2 + 1)) / picture.fft)
    starts = range(0, len(audio) - picture.window + 1, picture.hop)
    spectrum = np.abs(np.stack([audio[start : start + picture.window] * window for start in starts]) @ bins)
    if picture.spectrum == "power":
        spectrum = spectrum**2
    edges = [
        700 * (np.exp(place / 1127) - 1)
        for place in np.linspace(mel(picture.lowest_hz), mel(picture.highest_hz), picture.bands + 2)
    ]
    weights = np.zeros((picture.fft // 2 + 1, picture.bands))
    for row in range(1, len(weights)):
        here = mel(row * picture.sample_rate / picture.fft)
        for band in range(picture.bands):
            low, centre, high = (mel(edge) for edge in edges[band : band + 3])
            weights[row, band] = max(0.0, min((here - low) / (centre - low), (high - here) / (high - centre)))
    log_mel = np.log(spectrum @ weights + picture.offset)[: len(starts) // 16 * 16]
    if picture.levels == "per-sound":
        log_mel = (log_mel - log_mel.mean()) / max(log_mel.std(), 1e-5)
    return log_mel


@pytest.mark.parametrize(
    "picture",
    [
        Picture(),
        Picture(bands=24, hop=320, lowest_hz=0.0, highest_hz=8_000.0),
        pytest.param(Picture(fft=1024, window=1024, spectrum="power", offset=1e-3), marks=pytest.mark.slow),
        Picture(levels="per-sound"),
        pytest.param(
            Picture(sample_rate=32_000, fft=1024, window=800, hop=320, bands=80, highest_hz=14_000.0),
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda picture: f"{picture.sample_rate} {picture.fft} {picture.bands} {picture.spectrum} {picture.levels}",
)
def test_any_picture_is_what_its_settings_say(picture: Picture) -> None:
    audio = sounds()
    slow = np.stack([settable(sound, picture) for sound in audio.double().numpy()])
    np.testing.assert_allclose(LogMel(picture)(audio).numpy()[:, 0], slow, atol=5e-3)


def test_the_level_of_a_sound_can_be_left_out() -> None:
    audio = sounds()[:1] + 0.1 * sounds()[3:4]
    loud, soft = (LogMel(Picture(levels="per-sound", offset=1e-9))(level * audio) for level in (0.9, 0.1))
    torch.testing.assert_close(loud, soft, atol=1e-3, rtol=0)


def test_silence_is_exactly_flat_where_every_sound_is_scaled_for_itself() -> None:
    pictures = LogMel(Picture(levels="per-sound"))(torch.zeros(2, 16_000))
    assert torch.equal(pictures, torch.zeros_like(pictures))
