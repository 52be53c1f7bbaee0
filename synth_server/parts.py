"""Parts: what is drawn for the pairs of a block is drawn in several threads, since no pair needs another's.

The sounds are played in several threads already; drawn in one, large blocks would leave the others idle meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

#: Pairs of a part, at least; for fewer, waking a thread costs more than it does.
LEAST_PAIRS: Final = 64


class Parts:
    """The rows 0 to `pairs` of a block in up to `threads` parts, each drawn in a thread of its own."""

    def __init__(self, pairs: int, threads: int) -> None:
        count = max(1, min(threads, pairs // LEAST_PAIRS))
        edges = [pairs * part // count for part in range(count + 1)]
        self._rows = [range(first, stop) for first, stop in pairwise(edges)]
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="draw")

    def of_all(self, draw: Callable[[range], NDArray[Any]]) -> NDArray[Any]:
        """What `draw` gives for each part, one after the other: (pairs, ...). Its first error is raised here."""
        if len(self._rows) == 1:
            return draw(self._rows[0])
        return np.concatenate(list(self._threads.map(draw, self._rows)))

    def close(self) -> None:
        """End the threads. Harmless if repeated."""
        self._threads.shutdown(wait=True)
