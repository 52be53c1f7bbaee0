"""How many processor cores this process may use, and how many threads that means."""

from __future__ import annotations

import os

from pairstream.errors import ConfigError


def usable_cores() -> int:
    """What a container or taskset leaves it, which is often fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(threads: int | None) -> int:
    """`threads` as it is, or one for each usable core if it is None.

    Raises:
        ConfigError: it is not a whole number of at least 1.
    """
    count = usable_cores() if threads is None else threads
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ConfigError(f"threads={threads!r} is not a number of threads; use 1, 2, … or leave it out")
    return count
