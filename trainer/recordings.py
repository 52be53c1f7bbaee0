"""A folder of labelled recordings: its manifest, and how it is split for training and testing a probe.

FOLDER/manifest.csv    columns file, label, and split (train or test) or else fold (leave one out); and group, if
                       several clips are of one recording or speaker
FOLDER/audio/…         what the column `file` names, relative to FOLDER
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import DataError

MANIFEST = "manifest.csv"


@dataclass(frozen=True, kw_only=True)
class Recordings:
    """The rows of a manifest: n files, their labels, and the part of the evaluation that each is in."""

    name: str
    files: tuple[Path, ...]
    labels: NDArray[np.str_]
    parts: NDArray[np.str_]
    """Each row's fold; or `train` and `test` where the manifest has a fixed split."""
    fixed_split: bool
    groups: NDArray[np.int64]
    """A number for each row's recording or speaker, from the column `group`; each row its own where there is none."""

    @property
    def classes(self) -> int:
        """Different labels."""
        return len(np.unique(self.labels))

    @property
    def protocol(self) -> str:
        """How it is evaluated, in words."""
        return "1 split" if self.fixed_split else f"{len(np.unique(self.parts))} folds"

    @property
    def tested(self) -> NDArray[np.bool_]:
        """A mask (n,) of the rows that some split tests on, each by one: all of them, unless the split is fixed."""
        return self.parts == "test" if self.fixed_split else np.ones(len(self.parts), dtype=np.bool_)

    def splits(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Masks (n,) of the rows to train and to test on: the fixed split, or one pair per fold."""
        for part in ["test"] if self.fixed_split else np.unique(self.parts):
            yield self.parts != part, self.parts == part


def read_manifest(folder: Path) -> Recordings:
    """The recordings of a folder; no audio is read yet.

    Raises:
        DataError: no manifest, a column or value is missing, or nothing to train or test on.
    """
    path = folder / MANIFEST
    rows, columns = manifest_rows(path)
    fixed_split = "split" in columns
    part = "split" if fixed_split else "fold"
    if missing := [name for name in ("file", "label", part) if name not in columns]:
        wanted = " (or split: train, test)" if "fold" in missing else ""
        raise DataError(f"{path} has no column {missing[0]!r}{wanted}; it has {', '.join(columns) or 'none'}")
    for number, row in enumerate(rows, start=2):
        if empty := [name for name in ("file", "label", part) if not row[name]]:
            raise DataError(f"{path}, line {number}: no value for {empty[0]!r}; fill it in or remove the line")
    recordings = Recordings(
        name=folder.resolve().name,
        files=tuple(folder / row["file"] for row in rows),
        labels=np.array([row["label"] for row in rows]),
        parts=np.array([row[part] for row in rows]),
        fixed_split=fixed_split,
        groups=_groups(rows),
    )
    _check(recordings, path)
    return recordings


def _groups(rows: list[dict[str, str]]) -> NDArray[np.int64]:
    """A row without a value is a group of its own."""
    names = [row.get("group") or f"\0{number}" for number, row in enumerate(rows)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def manifest_rows(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """The rows of a manifest and the names of its columns. Raises DataError: it cannot be read."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # Excel begins with a mark
            reader = csv.DictReader(file)
            return list(reader), list(reader.fieldnames or [])
    except FileNotFoundError as error:
        raise DataError(
            f"there is no {path}; write one with the columns file, label, and split (train, test) or fold"
        ) from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {error}; write it as comma-separated UTF-8") from error


def _check(recordings: Recordings, path: Path) -> None:
    parts = set(recordings.parts.tolist())
    if recordings.fixed_split and parts != {"train", "test"}:
        found = ", ".join(sorted(parts)) or "nothing"
        raise DataError(f"{path}: the column 'split' must hold train and test, and nothing else; it holds {found}")
    if len(parts) < 2:
        raise DataError(f"{path}: there is but one fold or none, so nothing to leave out; use at least two folds")
    for train, _ in recordings.splits():
        if len(np.unique(recordings.labels[train])) < 2:
            raise DataError(f"{path}: a training part has fewer than two labels; a probe needs at least two")
