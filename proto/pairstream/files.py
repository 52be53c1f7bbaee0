"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pairstream.errors import ConfigError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write to instead; it becomes `path` at the end, or is removed if anything went wrong.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}; choose another folder") from error
    finally:
        unfinished.unlink(missing_ok=True)
