"""Checkpoints as a user names them: PATH or NAME=PATH, where a path may be a pattern; perhaps all of a run folder."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from pairstream.errors import ConfigError
from trainer.run_folder import CHECKPOINT_NAME

#: What the rows that are always there are called.
BASELINES = ("chance", "log-mel", "untrained")


def named_checkpoints(said: Sequence[str], every: bool) -> list[tuple[Path, str]]:
    """(path, name) of each; the name is empty where none is said. `every`: all checkpoints of each run folder.

    What exists is a path, whatever signs are in it, and so is a pattern that fits something. A pattern such as
    `runs/real-*`, in quotes so that the shell leaves it alone, stands for the folders and checkpoints that it fits.

    Raises:
        ConfigError: one is named twice, or like a baseline, or a pattern fits nothing.
    """
    found: list[tuple[Path, str]] = []
    for text in said:
        name, path = _parted(text)
        if name.startswith(BASELINES):
            raise ConfigError(f"{name!r} is called like a baseline; give {path} a name that is none of a baseline")
        found += [(one, name) for fitting in _fitting(path) for one in (_all_of(fitting) if every else [fitting])]
    paths = [path.resolve() for path, _ in found]
    if twice := [path for path in paths if paths.count(path) > 1]:
        raise ConfigError(f"{twice[0]} is named twice; name every checkpoint once")
    return found


def _parted(text: str) -> tuple[str, str]:
    """Name and path: at the first = behind which something is, else at the first."""
    if _is_there(text):
        return "", text
    places = [place for place, sign in enumerate(text) if sign == "="]
    place = next((place for place in places if _is_there(text[place + 1 :])), next(iter(places), None))
    return ("", text) if place is None else (text[:place], text[place + 1 :])


def _is_there(path: str) -> bool:
    return bool(path) and (Path(path).exists() or (glob.has_magic(path) and any(glob.iglob(path))))  # noqa: PTH207


def _fitting(path: str) -> list[Path]:
    if Path(path).exists() or not glob.has_magic(path):
        return [Path(path)]
    found = [Path(one) for one in sorted(glob.glob(path))]  # noqa: PTH207  # a pattern may begin anywhere
    found = [one for one in found if one.is_dir() or one.suffix == ".ckpt"]
    if not found:
        raise ConfigError(f"{path!r} fits no run folder and no checkpoint; name one that does")
    return found


def _all_of(path: Path) -> Iterator[Path]:
    """The checkpoints of a run folder, by step; anything else is itself."""
    files = [file for file in (path / "checkpoints").glob("*.ckpt") if CHECKPOINT_NAME.fullmatch(file.name)]
    yield from sorted(files) or [path]
