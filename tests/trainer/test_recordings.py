"""Manifests and clips: what is read, how it is split, and what is refused in one clear line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from pairstream.errors import DataError
from trainer.clips import frames_of, read_clip
from trainer.recordings import read_manifest


def manifest(folder: Path, text: str) -> Path:
    (folder / "manifest.csv").write_text(text)
    return folder


def sound(path: Path, samples: int, rate: int = 16_000, channels: int = 1, hertz: float = 440.0) -> Path:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)
    soundfile.write(path, np.stack([wave] * channels, axis=1), rate, subtype="FLOAT")
    return path


def test_folds_are_left_out_one_by_one(tmp_path: Path) -> None:
    folder = manifest(tmp_path, "file,label,fold\n1.wav,a,1\n2.wav,b,1\n3.wav,a,2\n4.wav,b,2\n5.wav,a,3\n6.wav,b,3\n")
    recordings = read_manifest(folder)
    assert (recordings.protocol, recordings.classes) == ("3 folds", 2)
    assert [np.flatnonzero(test).tolist() for _, test in recordings.splits()] == [[0, 1], [2, 3], [4, 5]]
    assert all((train ^ test).all() for train, test in recordings.splits())


def test_a_fixed_split_wins_over_folds(tmp_path: Path) -> None:
    folder = manifest(tmp_path, "file,label,fold,split\n1,a,1,train\n2,b,1,train\n3,a,2,test\n")
    recordings = read_manifest(folder)
    assert recordings.protocol == "1 split"
    assert [np.flatnonzero(test).tolist() for _, test in recordings.splits()] == [[2]]
    assert recordings.files[0] == tmp_path / "1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("file,label\n1,a\n", "no column 'fold' .or split: train, test.", id="no fold"),
        pytest.param("file,fold\n1,1\n", "no column 'label'", id="no label"),
        pytest.param("name,label,fold\n1,a,1\n", "no column 'file'.*it has name, label, fold", id="no file"),
        pytest.param("", "no column 'file'", id="empty"),
        pytest.param("file,label,fold\n", "one fold or none", id="no rows"),
        pytest.param("file,label,fold\n1,a,1\n2,b,1\n", "one fold or none", id="one fold"),
        pytest.param("file,label,fold\n1,a,1\n2,,1\n", "line 3: no value for 'label'", id="a label missing"),
        pytest.param("file,label,fold\n1,a\n", "line 2: no value for 'fold'", id="a short line"),
        pytest.param("file,label,split\n1,a,train\n2,b,valid\n", "train and test, and nothing", id="a third split"),
        pytest.param("file,label,split\n1,a,train\n2,b,test\n", "fewer than two labels", id="nothing to tell apart"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        read_manifest(manifest(tmp_path, text))
    assert str(tmp_path / "manifest.csv") in str(caught.value)


def test_a_folder_without_manifest_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no .*manifest\.csv; write one with the columns file, label"):
        read_manifest(tmp_path)


def test_the_mark_that_excel_puts_first_is_no_part_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text("file,label,fold\n1,a,1\n2,b,2\n3,a,2\n4,b,1\n", encoding="utf-8-sig")
    assert len(read_manifest(tmp_path).files) == 4


def test_a_file_without_a_header_is_named(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(64))
    with pytest.raises(DataError, match=r"clip\.raw: it cannot be read as audio"):
        read_clip(tmp_path / "clip.raw")


def test_a_manifest_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_bytes("file,label,fold\nbär,a,1\n".encode("latin-1"))
    with pytest.raises(DataError, match="UTF-8"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_clip_becomes_mono_at_16_khz(tmp_path: Path, rate: int, channels: int) -> None:
    clip = read_clip(sound(tmp_path / "clip.wav", rate, rate, channels))
    expected = 0.5 * np.sin(2 * np.pi * 440.0 * np.arange(16_000) / 16_000)
    assert clip.dtype == np.float32
    np.testing.assert_allclose(clip[500:-500], expected[500:-500], atol=2e-3)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(lambda path: None, "no such file", id="missing"),
        pytest.param(lambda path: path.write_bytes(b"RIFF but not really"), "cannot be read as audio", id="damaged"),
        pytest.param(lambda path: path.mkdir(), "cannot be read as audio", id="a folder"),
        pytest.param(lambda path: sound(path, 0), "no samples", id="empty"),
        pytest.param(
            lambda path: soundfile.write(path, np.full(100, np.nan), 16_000, subtype="FLOAT"), "not finite", id="NaN"
        ),
    ],
)
def test_a_clip_that_cannot_be_used_is_named(tmp_path: Path, write: object, said: str) -> None:
    path = tmp_path / "clip.wav"
    assert callable(write)
    write(path)
    with pytest.raises(DataError, match=said) as caught:
        read_clip(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("samples", "starts"),
    [(1, [0]), (15_999, [0]), (16_000, [0]), (16_001, [0, 1]), (32_000, [0, 16_000]), (40_000, [0, 16_000, 24_000])],
)
def test_frames_cover_a_clip(samples: int, starts: list[int]) -> None:
    clip = np.arange(1, samples + 1, dtype=np.float32)
    frames = frames_of(clip)
    padded = np.pad(clip, (0, max(0, 16_000 - samples)))
    np.testing.assert_array_equal(frames, np.stack([padded[start : start + 16_000] for start in starts]))
