"""The cache of embeddings and of scores: arrays under the hash of everything that they follow from.

An array is found again by the hash of the model's weights and settings, of the recordings' bytes, and of
`VERSION`, so a change of any of them is another name. What is not in the name changes the last digits: the device,
and the versions of torch, soxr, libsndfile and scikit-learn; with another --cache nothing is found again. It lies in
the user's cache folder (`XDG_CACHE_HOME`), is written whole, and may be deleted at any time. Beyond `MOST_BYTES` what
was not used for the longest time goes, but never what this process has used.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from pairstream.errors import ConfigError, DataError
from pairstream.files import written_whole

#: What is computed from a model and a clip; to be raised whenever that changes.
VERSION: Final = 1
MOST_BYTES: Final = 8 << 30

Array = NDArray[Any]


def digest(*parts: bytes | str) -> str:
    """A name for what follows from all of `parts`, in this order."""
    hashed = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        hashed.update(len(content).to_bytes(8, "little") + content)
    return hashed.hexdigest()[:32]


def digest_of_files(files: Iterable[Path]) -> str:
    """A name for what is in `files`, in this order; what they are called does not matter.

    Raises:
        DataError: one cannot be read.
    """
    try:
        return digest(*(hashlib.sha256(file.read_bytes()).digest() for file in files))
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror}; mend the file or take it out of the manifest") from error


def forgotten(path: Path) -> str:
    """What to say where an array was, and is no more."""
    return f"{path} is not there any more: somebody cleared the cache; probe again, or name another --cache"


class Cache:
    """Arrays in a folder, by name."""

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self.folder = (folder or user_cache_path("pairstream")) / f"probes-{VERSION}"
        self._most_bytes = most_bytes
        self._used: set[Path] = set()

    def path(self, name: str) -> Path:
        """Where the array `name` lies, or would."""
        return self.folder / f"{name}.npy"

    def get(self, name: str) -> Array | None:
        """The array, mapped from its file, or None."""
        path = self.path(name)
        try:
            found: Array = np.load(path, mmap_mode="r", allow_pickle=False)
            os.utime(path)
        except (OSError, ValueError, EOFError):  # not there, or damaged: then it is computed again
            return None
        self._used.add(path)
        return found

    def need(self, name: str) -> Array:
        """An array that was there a moment ago. Raises ConfigError: another process has forgotten it since."""
        found = self.get(name)
        if found is None:
            raise ConfigError(forgotten(self.path(name)))
        return found

    def put(self, name: str, array: Array) -> None:
        """Keep the array, and forget what was not used for the longest time if there is too much.

        Raises:
            ConfigError: the folder cannot be written to.
        """
        with written_whole(self.path(name)) as file:
            np.save(file, array, allow_pickle=False)
        self._used.add(self.path(name))
        self._forget()

    def _forget(self) -> None:
        files = sorted(((stat.st_mtime, stat.st_size, path) for path, stat in self._stats()), reverse=True)
        kept = 0
        for _, size, path in files:
            kept += size
            if kept > self._most_bytes and path not in self._used:
                path.unlink(missing_ok=True)

    def _stats(self) -> Iterable[tuple[Path, os.stat_result]]:
        for path in self.folder.glob("*.npy"):
            try:
                yield path, path.stat()
            except FileNotFoundError:  # another process forgot it
                continue
