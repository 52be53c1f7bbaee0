"""How much memory this process has."""

from __future__ import annotations

import ctypes
import gc
import resource
from pathlib import Path


def resident() -> int:
    """Bytes of this process in memory, less what it has freed and kept."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()
