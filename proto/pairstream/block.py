"""PairBlock: what travels, and what every consumer receives. A container; it renders nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pairstream.errors import ProtocolError

AUDIO_DTYPES = ("float32", "float16")


@dataclass(frozen=True, kw_only=True, eq=False)
class PairBlock:
    """One block of N audio doppelgänger pairs: block `index` of the stream named `digest`.

    Attributes:
        index: the block's number in its stream, 0, 1, 2, …
        digest: the stream's name, `StreamSpec.digest`.
        theta: parameters of both views in [0, 1], float32 (N, 2, P).
        audio: samples of both views in [-1, 1], float32 or float16 (N, 2, T), C-contiguous.

    Raises:
        ProtocolError: shapes, types or memory layout are not as stated.
    """

    index: int
    digest: str
    theta: NDArray[np.float32]
    audio: NDArray[Any]

    def __post_init__(self) -> None:
        theta, audio = self.theta, self.audio
        if theta.ndim != 3 or audio.ndim != 3 or theta.shape[:2] != audio.shape[:2] or theta.shape[1] != 2:
            raise ProtocolError(f"{self}: shapes {theta.shape} and {audio.shape} are not (N, 2, P) and (N, 2, T)")
        if theta.dtype != np.float32 or audio.dtype.name not in AUDIO_DTYPES:
            raise ProtocolError(f"{self}: types {theta.dtype} and {audio.dtype} are not float32 and a type of audio")
        if not (theta.flags.c_contiguous and audio.flags.c_contiguous):
            raise ProtocolError(f"{self}: the arrays are not C-contiguous")

    def __str__(self) -> str:
        return f"block {self.index} of stream {self.digest[:12]}"

    @property
    def pairs(self) -> int:
        """N, the pairs in this block."""
        return int(self.audio.shape[0])

    @property
    def nbytes(self) -> int:
        """Bytes of both arrays: what a window, a credit and a wire are charged for it."""
        return self.theta.nbytes + self.audio.nbytes

    def sha256(self) -> str:
        """SHA-256 over index, theta and audio in hexadecimal: equal if and only if the blocks are."""
        hasher = hashlib.sha256(f"{self.digest}:{self.index}:".encode())
        hasher.update(self.theta.data)
        hasher.update(self.audio.data)
        return hasher.hexdigest()
