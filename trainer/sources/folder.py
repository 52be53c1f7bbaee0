"""Which files of a folder are learned from: those of its manifest that fulfil a condition, or all audio in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import soundfile

from pairstream.errors import ConfigError, DataError
from trainer.recordings import MANIFEST, manifest_rows


@dataclass(frozen=True)
class Condition:
    """Rows whose `column` is one of `values`, or with `negated` none of them."""

    column: str
    values: frozenset[str]
    negated: bool

    @classmethod
    def parse(cls, text: str) -> Condition:
        """COLUMN=VALUE[,VALUE…] or COLUMN!=VALUE[,VALUE…]. Raises ConfigError: it is neither."""
        left, equals, right = text.partition("=")
        column = left.removesuffix("!").strip()
        if not (equals and column and right.strip()):
            raise ConfigError(f"data.where={text!r} is no condition; write split=train, fold=1,2,3 or fold!=4")
        values = frozenset(value.strip() for value in right.split(","))
        return cls(column, values, left.endswith("!"))

    def holds(self, row: Mapping[str, str]) -> bool:
        """Whether a row fulfils it."""
        return (row[self.column] in self.values) != self.negated


def files_of(folder: Path, where: str | None = None) -> tuple[Path, ...]:
    """The audio files of a folder, in the order of the manifest or else of their names.

    Raises:
        DataError: no such folder, a column is missing, or no file is left.
        ConfigError: `where` is no condition.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; name one with recordings")
    condition = Condition.parse(where) if where else None
    if (folder / MANIFEST).exists():
        return _of_manifest(folder, condition, where)
    if condition:
        raise DataError(f"{folder} has no {MANIFEST} in which {where!r} could hold; leave the condition out")
    suffixes = {f".{name.lower()}" for name in soundfile.available_formats()} | {".mp3", ".oga", ".aif"}
    if found := sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file()):
        return tuple(found)
    raise DataError(f"{folder} holds no audio file that libsndfile knows by name; name a folder with recordings")


def _of_manifest(folder: Path, condition: Condition | None, where: str | None) -> tuple[Path, ...]:
    path = folder / MANIFEST
    rows, columns = manifest_rows(path)
    for name in ("file", *([condition.column] if condition else [])):
        if name not in columns:
            raise DataError(f"{path} has no column {name!r}; it has {', '.join(columns) or 'none'}")
    chosen = [row for row in rows if condition is None or condition.holds(row)]
    if not chosen:
        raise DataError(f"{path} has {len(rows)} rows, and none with {where!r}; choose another condition")
    for number, row in enumerate(rows, start=2):
        if not row["file"]:
            raise DataError(f"{path}, line {number}: no value for 'file'; fill it in or remove the line")
    return tuple(folder / row["file"] for row in chosen)
