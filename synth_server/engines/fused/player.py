"""Player: what plays a patch in a format on one device. A plug point; the arithmetic is the same behind all."""

from __future__ import annotations

from typing import Any, Protocol

from numpy.typing import NDArray

from pairstream.spec import Dtype


class Player(Protocol):
    """Made of a wiring and a grid. May be called from several threads at once."""

    def play(self, theta: NDArray[Any], keys: NDArray[Any], noise: NDArray[Any], dtype: Dtype) -> NDArray[Any]:
        """Theta (B, P) and keys (B,) -> a new array (B, T) of `dtype`; noise is (B, T), or (B, 0) for that of the keys.

        All three are contiguous, and were checked.
        """
        ...

    def close(self) -> None:
        """Give back what it holds; it plays no more. Harmless if repeated."""
        ...
