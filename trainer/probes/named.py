"""Checkpoints as a user names them: PATH or NAME=PATH, and perhaps all of a run folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pairstream.errors import ConfigError
from trainer.run_folder import CHECKPOINT_NAME


def named_checkpoints(said: Sequence[str], every: bool) -> list[tuple[Path, str]]:
    """(path, name) of each; the name is empty where none is said. `every`: all checkpoints of each run folder.

    A path that exists is a path even if there is a `=` in it.

    Raises:
        ConfigError: one is named twice.
    """
    found: list[tuple[Path, str]] = []
    for text in said:
        name, _, path = text.rpartition("=") if not Path(text).exists() else ("", "", text)
        found += [(one, name) for one in (_all_of(Path(path)) if every else [Path(path)])]
    paths = [path.resolve() for path, _ in found]
    if twice := [path for path in paths if paths.count(path) > 1]:
        raise ConfigError(f"{twice[0]} is named twice; name every checkpoint once")
    return found


def _all_of(path: Path) -> Iterator[Path]:
    """The checkpoints of a run folder, by step; anything else is itself."""
    files = [file for file in (path / "checkpoints").glob("*.ckpt") if CHECKPOINT_NAME.fullmatch(file.name)]
    yield from sorted(files) or [path]
