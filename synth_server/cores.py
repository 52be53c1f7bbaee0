"""How many processor cores this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """What a container or taskset leaves it, which is often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
