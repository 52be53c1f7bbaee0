"""Decoded clips and crops of them, against slices; and clips that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from clips_folder import write_clip

from pairstream.errors import DataError
from trainer.clips import read_clip
from trainer.sources.clips_in_memory import read_clips


def test_a_crop_is_a_slice_of_its_clip(tmp_path: Path) -> None:
    files = [write_clip(tmp_path / f"{n}.wav", seconds, n) for n, seconds in enumerate((1.0, 2.5, 1.2))]
    clips = read_clips(files, rate=16_000, crop=16_000)
    which, places = np.array([1, 0, 2, 1]), np.array([[0.0, 1 - 1e-9], [0.5, 0.5], [0.25, 0.75], [0.5, 0.1]])
    crops = clips.crops(which, places)
    assert (crops.shape, crops.dtype, crops.flags.c_contiguous) == ((4, 2, 16_000), np.float32, True)
    whole = [read_clip(file) for file in files]
    for row, clip in enumerate(which):
        for view in (0, 1):
            start = int(places[row, view] * (len(whole[clip]) - 16_000 + 1))
            assert np.array_equal(crops[row, view], whole[clip][start : start + 16_000])


def test_short_clips_are_followed_by_zeros_and_counted(tmp_path: Path) -> None:
    files = [write_clip(tmp_path / "short.wav", 0.25), write_clip(tmp_path / "long.wav", 1.0)]
    clips = read_clips(files, rate=16_000, crop=16_000)
    assert clips.padded == 1
    (crop,) = clips.crops(np.array([0]), np.array([[0.9]]))[0]
    assert np.array_equal(crop[:4_000], read_clip(files[0]))
    assert not crop[4_000:].any()


def test_other_rates_and_stereo_become_the_rate_of_the_training(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "clip.wav", 1.5, rate=44_100, channels=2)
    clips = read_clips([file], rate=16_000, crop=16_000)
    assert len(clips.samples) == 24_000
    plain = read_clip(write_clip(tmp_path / "plain.wav", 1.5))
    np.testing.assert_allclose(clips.samples[500:-500], plain[500:-500], atol=2e-3)


def test_float16_halves_the_memory_and_rounds(tmp_path: Path) -> None:
    file = write_clip(tmp_path / "clip.wav", 1.0)
    half, full = (read_clips([file], rate=16_000, crop=8_000, dtype=dtype) for dtype in ("float16", "float32"))
    assert half.samples.nbytes * 2 == full.samples.nbytes
    assert np.array_equal(half.samples, full.samples.astype(np.float16))


def test_the_digest_names_the_sounds_and_not_the_place_they_lie_at(tmp_path: Path) -> None:
    here, there = (write_clip(tmp_path / place / "1.wav", 1.0, 1) for place in ("here", "there"))
    other = write_clip(tmp_path / "here/2.wav", 1.0, 2)
    digests = [read_clips(files, rate=16_000, crop=8_000).digest for files in ([here], [there], [other], [here, other])]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_clips_that_are_all_too_short_are_refused(tmp_path: Path) -> None:
    files = [write_clip(tmp_path / f"{n}.wav", 0.1 + n / 4) for n in range(3)]
    with pytest.raises(DataError, match=r"the longest of 3 clips, .*2\.wav, has 0\.60 s, and the sounds have 1 s"):
        read_clips(files, rate=16_000, crop=16_000)


@pytest.mark.parametrize(
    ("samples", "said"), [(np.zeros(0), "has no samples"), (np.full(20_000, np.nan), "not finite numbers")]
)
def test_a_clip_that_cannot_be_used_is_named(tmp_path: Path, samples: np.ndarray, said: str) -> None:
    good, bad = write_clip(tmp_path / "good.wav", 1.0), tmp_path / "bad.wav"
    soundfile.write(bad, samples, 16_000, subtype="FLOAT")
    with pytest.raises(DataError, match=rf"bad\.wav: .*{said}"):
        read_clips([good, bad], rate=16_000, crop=16_000)
