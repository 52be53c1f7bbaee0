"""How much memory this process may have: its container's bound, or the machine's memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

#: Where a container sees its own bound, by version of control groups.
BOUNDS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def memory_limit(bounds: Sequence[Path] = BOUNDS) -> int:
    """In bytes. A bound above the machine's memory is none, nor is one that is not a number."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for file in bounds:
        try:
            return min(machine, int(file.read_text()))
        except (OSError, ValueError):
            continue
    return machine
