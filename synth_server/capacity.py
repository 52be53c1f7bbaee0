"""What a worker can do: pairs per second, measured once while it warms up. Its weight among others.

Measured once, so that all clients see the same number for as long as the worker lives: where they do not,
they ask different workers for the same block. Clients round it to a quarter of an octave, so that most noise moves
no block. A worker whose speed changes later is a matter for the clients' hedging.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from pairstream.codec import MAX_CAPACITY
from pairstream.spec import StreamSpec
from synth_server.sources import Sources

#: What is rendered first, so that engines are compiled and caches warm, and what is then timed.
WARM_UP = StreamSpec(block_pairs=1)
TIMED = StreamSpec(block_pairs=32)
_ROUNDS = 3


def measure(sources: Sources, clock: Callable[[], float] = time.perf_counter) -> int:
    """Pairs per second of the default stream, the best of a few short blocks; 1 or more.

    Raises:
        PairstreamError: not even one block could be rendered.
    """
    sources.open(WARM_UP).render(0)
    source = sources.open(TIMED)
    seconds = []
    for _ in range(_ROUNDS):
        began = clock()
        source.render(0)
        seconds.append(clock() - began)
    return min(MAX_CAPACITY, max(1, round(TIMED.block_pairs / max(min(seconds), 1e-6))))
