"""The page's picture against the trainer's front end, an independent implementation of the same formula."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synth_server.listen import logmel
from trainer.frontend import LogMel


def test_it_is_what_the_encoder_sees():
    rng = np.random.Generator(np.random.Philox(key=[1, 2]))
    samples = rng.uniform(-1, 1, 16_000).astype(np.float32)
    expected = LogMel().frames(torch.from_numpy(samples)[None])[0].numpy()
    ours = logmel.log_mel(samples, 16_000)
    assert ours.shape == expected.shape == (98, 64)
    assert np.abs(ours - expected).max() < 1e-4


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
@pytest.mark.parametrize("hertz", [440.0, 2_500.0])
def test_a_tone_lights_the_band_that_the_axis_names(rate: int, hertz: float):
    tone = np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32)
    levels = logmel.picture(tone, rate)
    loudest = int(levels.mean(axis=0).argmax())
    edges = logmel.band_edges(rate)
    assert edges[loudest] < hertz < edges[loudest + 2]
    assert levels.shape[1] == logmel.BANDS
    assert 230 <= levels.max() <= 255


def test_silence_and_a_sound_shorter_than_a_window_have_a_picture():
    assert not logmel.picture(np.zeros(10, np.float32), 16_000).any()
    assert logmel.picture(np.ones(10, np.float32), 16_000).shape == (1, 64)
