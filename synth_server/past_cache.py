"""Copying past the cache: what another process is going to read need not push out what this one is working on.

A block is larger than the caches near a core. An ordinary store first fetches the line that it overwrites and later
writes it back; a non-temporal one only writes. glibc's memcpy has those as well, but only beyond a size that it takes
from the last cache, which on a server is a hundred megabytes and not one's own.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from threading import Thread

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

#: What is written at once, and where it may begin: a line of the cache.
LINE = 64


class _Stores:
    """Copies lines from one address to another, as soon as that is loaded."""

    copy_lines: Callable[[int, int, int], None] | None = None


def copy_past_cache(to: Bytes, source: Bytes) -> None:
    """`to[:] = source`, both (N,), by non-temporal stores where they are prepared."""
    copy_lines = _Stores.copy_lines
    if copy_lines is None:
        to[:] = source
        return
    head = min(-to.ctypes.data % LINE, len(to))
    end = head + (len(to) - head) // LINE * LINE
    to[:head], to[end:] = source[:head], source[end:]
    copy_lines(to.ctypes.data + head, source.ctypes.data + head, (end - head) // LINE)


@cache
def prepare() -> Thread:
    """Load numba and compile, beside whatever is going on, which that would hold up for a second; only once."""
    thread = Thread(target=_load, name="past cache")
    thread.start()
    return thread


def _load() -> None:
    """Find the stores; without x86-64 or numba, copies stay NumPy's."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return
    try:
        from synth_server.stores import copy_lines  # noqa: PLC0415  here because it takes that second
    except ImportError:
        return
    copy_lines(0, 0, 0)  # compiles
    _Stores.copy_lines = copy_lines
