"""Lanes: threads that each run torch with one intra-op thread, and leave everyone else's torch as it is.

torch splits an operation among its threads at places that depend on their number, and the ends of the pieces
take another code path with other roundings. So a block is cut in pieces of fixed size, and each piece is one
lane's work from beginning to end. Nothing here knows what the work is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from synth_server.cores import thread_count

Work = TypeVar("Work")
Result = TypeVar("Result")

_settling = threading.Lock()


class Lanes:
    """A pool of `threads` such threads; None takes as many as the process may use cores.

    Raises:
        ConfigError: `threads` is not a whole number of at least 1.
    """

    def __init__(self, threads: int | None) -> None:
        self.threads = thread_count(threads)
        self._pool = ThreadPoolExecutor(self.threads, thread_name_prefix="lane", initializer=_settle)

    def map(self, function: Callable[[Work], Result], work: Iterable[Work]) -> list[Result]:
        """The results of `function` in the order of `work`; the first exception is raised here."""
        return list(self._pool.map(function, work))

    def close(self) -> None:
        """Wait for the work under way and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _settle() -> None:
    """Hold this thread to one intra-op thread, and to subnormal numbers as IEEE has them.

    `torch.set_num_threads` sets two things: the number of the calling thread, and that which threads find that use
    torch for the first time. So this thread first finds its number, then changes it; and another thread, which
    lives for nothing else, puts back what later threads find.
    """
    with _settling:
        found = torch.get_num_threads()
        torch.set_num_threads(1)
        restore = threading.Thread(target=torch.set_num_threads, args=(found,))
        restore.start()
        restore.join()
    torch.set_flush_denormal(False)
