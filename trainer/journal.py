"""The journal: a run's records as lines of JSON, and reading them back."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pairstream.files import write_text
from pairstream.torch import PairBatch
from trainer.records import StepRecord


class Journal:
    """A sink that appends a line per record, at once on disk for whoever watches.

    Args:
        path: the file; records after step `upto` in it are dropped, for they were of steps that a
            killed session did and this one does again.
    """

    def __init__(self, path: Path, upto: int = 0) -> None:
        kept = [line for line in read_journal(path) if line["step"] <= upto]
        write_text(path, "".join(_line(values) for values in kept))
        self._file = path.open("a", encoding="utf-8")

    def first_batch(self, batch: PairBatch) -> None:
        """Sounds are not for a text file."""

    def record(self, record: StepRecord) -> None:
        """Append one line."""
        values = asdict(record)
        self._file.write(_line(values | values.pop("terms")))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The records of a journal, in order; none if there is no such file. A torn last line is left out."""
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            records.append(json.loads(line))
        except ValueError:  # a process that was killed while it wrote
            break
    return records


def _line(values: dict[str, Any]) -> str:
    return json.dumps({name: _rounded(value) for name, value in values.items()}) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.7g}") if abs(value) < float("inf") else None
    return value
