"""Decoded clips in memory, one after the other in one array: so a batch of crops is one gather.

Read once, on several threads, to mono at the sample rate of the training. Clips shorter than a crop are followed by
zeros; where all of them are, there is nothing to crop and the folder is refused.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pairstream import allocator
from pairstream.errors import DataError
from trainer.clips import Samples, read_clip


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipsInMemory:
    """n clips, each at least `crop` samples long."""

    samples: NDArray[Any]
    """All clips in a row, float32 or float16."""
    starts: NDArray[np.int64]
    """Where each begins, (n,)."""
    room: NDArray[np.int64]
    """At how many places each can be cropped beside its beginning, (n,)."""
    crop: int
    """Samples of a crop."""
    padded: int
    """How many were shorter than that."""
    digest: str
    """SHA-256 of all samples: names the recordings, wherever they lie."""

    def __len__(self) -> int:
        return len(self.starts)

    def crops(self, clips: NDArray[np.int64], places: NDArray[np.float64]) -> NDArray[Any]:
        """Crops of these clips (B,), at places in (0, 1) of each (B, V) -> (B, V, crop)."""
        offsets = np.floor(places * (self.room[clips] + 1)[:, None]).astype(np.int64)
        at = self.starts[clips][:, None] + offsets
        return np.ascontiguousarray(sliding_window_view(self.samples, self.crop)[at])


def read_clips(
    files: Sequence[Path], *, rate: int, crop: int, dtype: str = "float32", threads: int | None = None
) -> ClipsInMemory:
    """Read these files.

    Args:
        files: at least one.
        rate: of the training, in hertz.
        crop: samples of a crop.
        dtype: of the samples in memory, float32 or float16.
        threads: that decode; as many as there are cores unless said.

    Raises:
        DataError: a file that cannot be used, or none is as long as a crop; the message names it.
    """
    allocator.tune()  # crops are tens of megabytes a batch, and memory that is new each time costs more than the copy
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        clips = list(pool.map(lambda file: read_clip(file, rate).astype(dtype), files))
    lengths = np.array([len(clip) for clip in clips])
    if lengths.max() < crop:
        longest = files[int(lengths.argmax())]
        raise DataError(
            f"the longest of {len(clips)} clips, {longest}, has {lengths.max() / rate:.2f} s, and the sounds have "
            f"{crop / rate:g} s: nothing can be cropped; use longer recordings, or a smaller --spec.seconds"
        )
    held = np.maximum(lengths, crop)
    return ClipsInMemory(
        samples=_in_a_row(clips, held),
        starts=np.concatenate([[0], held.cumsum()[:-1]]).astype(np.int64),
        room=(held - crop).astype(np.int64),
        crop=crop,
        padded=int((lengths < crop).sum()),
        digest=_digest(clips),
    )


def _in_a_row(clips: list[Samples], held: NDArray[np.int64]) -> NDArray[Any]:
    """One array of all; `clips` become views of it, so that nothing is in memory twice for long."""
    row = np.zeros(held.sum(), clips[0].dtype)
    for number, (clip, stop, size) in enumerate(zip(clips, held.cumsum(), held, strict=True)):
        place = slice(stop - size, stop - size + len(clip))
        row[place] = clip
        clips[number] = row[place]
    return row


def _digest(clips: list[Samples]) -> str:
    hasher = hashlib.sha256()
    for clip in clips:
        hasher.update(f"{len(clip)}:".encode())
        hasher.update(clip.data)
    return hasher.hexdigest()
