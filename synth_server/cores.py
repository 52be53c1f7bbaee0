"""How many threads a process that renders takes."""

from __future__ import annotations

from pairstream.cores import usable_cores
from pairstream.errors import ConfigError


def thread_count(threads: int | None) -> int:
    """`threads` as it is, or one for each usable core if it is None.

    Raises:
        ConfigError: it is not a whole number of at least 1.
    """
    count = usable_cores() if threads is None else threads
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ConfigError(f"threads={threads!r} is not a number of threads; use 1, 2, … or leave it out")
    return count
