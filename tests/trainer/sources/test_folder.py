"""Which files of a folder are learned from, and what is refused in one clear line."""

from __future__ import annotations

from pathlib import Path

import pytest
from clips_folder import write_folder

from pairstream.errors import ConfigError, DataError
from trainer.sources.folder import files_of


def names(files: tuple[Path, ...]) -> list[str]:
    return [file.stem for file in files]


@pytest.mark.parametrize(
    ("where", "chosen"),
    [
        (None, "01234"),
        ("split=train", "0123"),
        ("split = test", "4"),
        ("fold=1,3", "023"),
        ("fold!=1", "124"),
        ("fold!=1,2", "2"),
    ],
)
def test_rows_of_the_manifest_are_chosen_by_a_column(tmp_path: Path, where: str | None, chosen: str) -> None:
    assert names(files_of(write_folder(tmp_path), where)) == list(chosen)


def test_without_a_manifest_all_audio_files_are_taken_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b/2.flac", "a/1.WAV", "3.ogg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "notes.txt").touch()
    assert names(files_of(tmp_path)) == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("text", "where", "kind", "said"),
    [
        ("file,label\n1,a\n", "split=train", DataError, "no column 'split'; it has file, label"),
        ("name,label\n1,a\n", None, DataError, "no column 'file'; it has name, label"),
        ("file,fold\n1,1\n", "fold=2", DataError, "has 1 rows, and none with 'fold=2'"),
        ("file,fold\n,1\n", None, DataError, "line 2: no value for 'file'"),
        ("file,fold\n", None, DataError, "has 0 rows"),
        ("file,fold\n1,1\n", "fold", ConfigError, "data.where='fold' is no condition; write split=train"),
        ("file,fold\n1,1\n", "=1", ConfigError, "is no condition"),
        (None, None, DataError, "holds no audio file"),
        (None, "split=train", DataError, "has no manifest.csv in which 'split=train' could hold"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str | None, where: str | None, kind: type[Exception], said: str
) -> None:
    if text is not None:
        (tmp_path / "manifest.csv").write_text(text)
    with pytest.raises(kind, match=said):
        files_of(tmp_path, where)


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is no folder"):
        files_of(tmp_path / "nowhere")
