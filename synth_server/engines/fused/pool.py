"""Pool: the threads of the engine. A call is cut in pieces, which they take in turn.

The kernel lets go of Python's lock, so these are plain threads; which of them plays a sound does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from synth_server.cores import thread_count

#: Pieces per thread. Each costs a call from Python, some 0.1 ms; with one, all wait for the thread that was disturbed.
PIECES = 2


class Pool:
    """A pool of `threads` threads; None takes as many as the process may use cores.

    Raises:
        ConfigError: `threads` is not a whole number of at least 1.
    """

    def __init__(self, threads: int | None) -> None:
        self.threads = thread_count(threads)
        self._threads = ThreadPoolExecutor(self.threads, thread_name_prefix="fused")

    def run(self, work: Callable[[slice], None], sounds: int) -> None:
        """Call `work` for pieces of so many sounds; the first exception is raised here."""
        size = -(-sounds // (self.threads * PIECES)) if self.threads > 1 else sounds
        for _ in self._threads.map(work, [slice(first, first + size) for first in range(0, sounds, size)]):
            pass

    def close(self) -> None:
        """Wait for the work under way and end the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
