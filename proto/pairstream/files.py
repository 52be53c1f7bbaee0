"""Files that are there whole or not at all: written beside their place, brought to the disk, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from pairstream.errors import ConfigError


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A binary file to write to; it takes the name `path` only if the block ends without an exception.

    Raises:
        ConfigError: the folder cannot be made or written to, the disk is full, or a folder has this name.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False)  # noqa: SIM115
    except OSError as error:
        raise _unwritable(path, error) from error
    part = Path(file.name)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.chmod(0o644)
        part.replace(path)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise


def _unwritable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"cannot write {path}: {error.strerror or error}; choose another place")


def write_text(path: Path, text: str) -> None:
    """`text` in UTF-8."""
    with written_whole(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """`value` as readable JSON; NaN is refused, because most readers refuse it."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
