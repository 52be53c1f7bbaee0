"""A shift in pitch: against a vocoder written frame by frame, against sines, and against audiomentations' own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from trainer.augment.pitch import FFT, HOP, from_frames, pitch_shifted, read_at, time_stretched, vocoded

RATE = 16_000


def tones(hertz: list[float], samples: int = RATE) -> torch.Tensor:
    time = torch.arange(samples, dtype=torch.float64) / RATE
    return (0.5 * torch.sin(2 * math.pi * torch.tensor(hertz, dtype=torch.float64)[:, None] * time)).float()


def peak(sound: torch.Tensor) -> float:
    spectrum = torch.fft.rfft(sound * torch.hann_window(len(sound)), n=1 << 18).abs()
    return float(spectrum.argmax()) * RATE / (1 << 18)


def frame_by_frame(frames: np.ndarray, factor: float, count: int) -> np.ndarray:
    """The vocoder of textbooks: (bins, n) -> (bins, count), with the phases of the first frame to begin with."""
    padded = np.pad(frames, [(0, 0), (0, 2)])
    advance = np.linspace(0.0, np.pi * HOP, len(frames))
    phase, made = np.angle(padded[:, 0]), []
    for number in range(count):
        begin, along = divmod(number / factor, 1.0)
        here, there = padded[:, int(begin)], padded[:, int(begin) + 1]
        made.append(((1 - along) * np.abs(here) + along * np.abs(there)) * np.exp(1j * phase))
        step = np.angle(there) - np.angle(here) - advance
        phase = phase + advance + step - 2 * np.pi * np.round(step / (2 * np.pi))
    return np.stack(made, axis=1)


@pytest.mark.parametrize("factor", [0.8917, 1.0, 1.1234])
def test_the_vocoder_is_that_of_textbooks_but_for_where_its_phases_are_right(factor: float) -> None:
    sound = torch.from_numpy(np.random.default_rng(0).standard_normal((1, 8_000)).astype(np.float32))
    frames = torch.stft(sound, FFT, HOP, window=torch.hann_window(FFT), return_complex=True)
    count = int(frames.shape[2] * factor) - 1
    expected = frame_by_frame(frames[0].numpy().astype(np.complex128), factor, count)
    mine = vocoded(frames, torch.tensor([factor], dtype=torch.float64), count)[0].numpy()
    turn = mine[:, count // 2] * expected[:, count // 2].conj()
    np.testing.assert_allclose(mine, expected * (turn / np.abs(turn))[:, None], atol=1e-3)


@pytest.mark.parametrize("semitones", [-2.0, -0.5, 0.0, 1.0, 2.0])
@pytest.mark.parametrize("hertz", [220.0, 1_000.0, 3_000.0])
def test_a_tone_moves_by_the_ratio_and_keeps_its_length_and_level(semitones: float, hertz: float) -> None:
    ratio = 2 ** (semitones / 12)
    (moved,) = pitch_shifted(tones([hertz]), torch.tensor([ratio]), 2 ** (2 / 12))
    assert moved.shape == (RATE,)
    assert peak(moved[1_000:-1_000]) == pytest.approx(hertz * ratio, rel=2e-3)
    assert float(moved[1_000:-1_000].square().mean()) == pytest.approx(0.125, rel=0.1)


@pytest.mark.parametrize(("semitones", "highest"), [(-12.0, 12.0), (0.0, 12.0), (-7.0, 7.0), (12.0, 12.0)])
def test_it_keeps_its_level_however_wide_the_range(semitones: float, highest: float) -> None:
    (moved,) = pitch_shifted(tones([440.0]), torch.tensor([2 ** (semitones / 12)]), 2 ** (highest / 12))
    assert float(moved[1_000:-1_000].square().mean()) == pytest.approx(0.125, rel=0.02)


def test_frames_become_the_sound_that_torch_makes_of_them() -> None:
    sounds = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 4_096)).astype(np.float32))
    window = torch.hann_window(FFT)
    frames = torch.stft(sounds, FFT, HOP, window=window, return_complex=True)
    np.testing.assert_allclose(from_frames(frames, window)[:, :4_096], sounds, atol=1e-5)
    frames = frames * 1j
    expected = torch.istft(frames, FFT, HOP, window=window, length=4_096)
    np.testing.assert_allclose(from_frames(frames, window)[:, :4_096], expected, atol=1e-5)


def test_every_sound_moves_by_its_own_ratio() -> None:
    ratios = torch.tensor([0.9, 1.0, 1.1])
    together = pitch_shifted(tones([500.0] * 3), ratios, 1.12)
    for ratio, sound in zip(ratios, together, strict=True):
        (alone,) = pitch_shifted(tones([500.0]), ratio[None], 1.12)
        np.testing.assert_allclose(sound, alone, atol=1e-5)


def test_stretching_keeps_the_pitch() -> None:
    stretched = time_stretched(tones([440.0]), torch.tensor([1.12]), 1.12)
    assert stretched.shape == (1, math.ceil(RATE * 1.12))
    assert peak(stretched[0, 1_000:-1_000]) == pytest.approx(440.0, rel=2e-3)


def test_reading_at_the_speed_of_one_is_the_sound_itself() -> None:
    sound = tones([440.0, 3_000.0])
    np.testing.assert_allclose(read_at(sound, torch.ones(2), RATE), sound, atol=1e-6)


@pytest.mark.parametrize("speed", [0.89, 1.12])
def test_reading_between_samples_is_exact_for_tones_below_the_band(speed: float) -> None:
    read = read_at(tones([2_000.0], 2 * RATE), torch.tensor([speed]), RATE)
    expected = tones([2_000.0 * speed])
    np.testing.assert_allclose(read[:, 100:], expected[:, 100:], atol=2e-3)


def test_reading_faster_folds_nothing_back() -> None:
    read = read_at(tones([7_900.0], 2 * RATE), torch.tensor([1.12]), RATE)
    assert float(read[:, 100:].square().mean().sqrt()) < 0.2 * 0.5 / math.sqrt(2)


def test_silence_stays_and_a_sound_that_begins_late_is_whole() -> None:
    sounds = torch.stack([torch.zeros(RATE), torch.cat([torch.zeros(RATE // 2), tones([440.0])[0, : RATE // 2]])])
    silent, late = pitch_shifted(sounds, torch.tensor([1.1, 1.1]), 1.12)
    assert not silent.any()
    assert float(late[: RATE // 2 - FFT].abs().max()) < 1e-5
    assert peak(late[RATE // 2 + FFT :]) == pytest.approx(484.0, rel=2e-3)


@pytest.mark.slow
def test_it_is_as_audiomentations_hears_it() -> None:
    import audiomentations

    shift = audiomentations.PitchShift(2.0, 2.0, method="librosa_phase_vocoder", p=1.0)
    sound = tones([440.0])[0] + tones([1_320.0])[0] * 0.5
    expected = torch.from_numpy(shift(sound.numpy(), sample_rate=RATE))
    (mine,) = pitch_shifted(sound[None], torch.tensor([2 ** (2 / 12)]), 2 ** (2 / 12))
    spectra = [torch.fft.rfft(x[1_000:-1_000] * torch.hann_window(RATE - 2_000)).abs() for x in (mine, expected)]
    alike = torch.nn.functional.cosine_similarity(*spectra, dim=0)
    assert float(alike) > 0.98
