"""Copying past the cache: what another process is going to read need not push out what this one is working on.

A block is larger than the caches near a core. An ordinary store first fetches the line that it overwrites and later
writes it back; a non-temporal one (Intel, Optimization Reference Manual, 9.4.1) only writes. glibc's memcpy has those
as well, but only beyond three quarters of the last cache, which on a server is a hundred megabytes and not one's own.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

#: What is written at once, and where it may begin: a line of the cache.
LINE = 64


def copy_past_cache(to: Bytes, source: Bytes) -> None:
    """`to[:] = source`, both (N,), by non-temporal stores where this processor and this installation have them."""
    lines = _lines()
    if lines is None:
        to[:] = source
        return
    head = min(-to.ctypes.data % LINE, len(to))
    end = head + (len(to) - head) // LINE * LINE
    to[:head], to[end:] = source[:head], source[end:]
    lines(to.ctypes.data + head, source.ctypes.data + head, (end - head) // LINE)


@cache
def _lines() -> Callable[[int, int, int], None] | None:
    """Copies lines from one address to another, or None if only x86-64 with numba can."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    try:
        from synth_server.stores import copy_lines  # noqa: PLC0415  compiled when first needed
    except ImportError:
        return None
    return copy_lines
