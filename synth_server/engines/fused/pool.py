"""Pool: the threads of the engine, of which the caller is one. How they share the sounds of a call is `turns.py`.

The kernel lets go of Python's lock, so these are plain threads; which of them plays a sound does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from synth_server.cores import thread_count


class Pool:
    """`threads` threads for one caller; None takes as many as the process may use cores.

    Raises:
        ConfigError: `threads` is not a whole number of at least 1.
    """

    def __init__(self, threads: int | None) -> None:
        self.threads = thread_count(threads)
        self._helpers = ThreadPoolExecutor(max(1, self.threads - 1), thread_name_prefix="fused")
        self._closed = False

    def run(self, work: Callable[[], object], sounds: int) -> None:
        """Call `work` in every thread that has a sound to play, here at least; the first exception is raised here.

        Raises:
            RuntimeError: the pool is closed.
        """
        if self._closed:
            raise RuntimeError("the engine is closed")
        helpers = [self._helpers.submit(work) for _ in range(min(self.threads, sounds) - 1)]
        try:
            work()
        finally:
            for helper in helpers:
                helper.result()

    def close(self) -> None:
        """Wait for the work under way and end the threads. Harmless if repeated."""
        self._closed = True
        self._helpers.shutdown(wait=True, cancel_futures=True)
