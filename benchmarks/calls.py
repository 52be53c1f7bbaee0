"""Calls: how often functions are called, a measure of work that no cache and no other process changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType


class Calls:
    """Counts calls of functions of Python and of C in this thread, in a `with` block.

    Args:
        counts: whether a call counts; asked at each.
    """

    def __init__(self, counts: Callable[[], bool] = lambda: True) -> None:
        self._counts = counts
        self.number = 0

    def __enter__(self) -> Calls:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, frame: FrameType, event: str, argument: object) -> None:
        if event in {"call", "c_call"}:
            self.number += self._counts()
