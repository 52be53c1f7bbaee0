"""Keep freed memory in the process: `tune()` sets glibc's malloc, nothing else.

glibc by itself gives large freed arrays back to the kernel, and then pays a page fault for each 4 KiB of the next one.
Both ends call this once: a worker before its first block, since torch frees and takes again tens of arrays of some
megabytes per chunk; a client before its first connection, since libzmq and gRPC allocate every block that they receive.

Measured with the engine torchsynth and the patch voice on two EPYC cores, per call, without -> with:

    64 sounds of 4 s at 44.1 kHz, 1 thread     427 ms,  77,000 faults ->  269 ms, 1,600 faults
    64 sounds of 4 s at 44.1 kHz, 2 threads    368 ms, 100,000 faults ->  173 ms, 1,500 faults
    128 sounds of 1 s at 48 kHz, 2 threads     113 ms,  25,000 faults ->   84 ms,     0 faults
    256 sounds of 1 s at 16 kHz, 1 thread      101 ms,       0 faults ->  103 ms,    60 faults

    python - tuned <<'END'
    import sys, time, numpy as np
    from pairstream import allocator
    from synth_server import engines
    if "tuned" in sys.argv: allocator.tune()
    engine = engines.load_engine("torchsynth", sample_rate=44_100, seconds=4.0, threads=1)
    theta, keys = np.full((64, 78), 0.5, np.float32), np.arange(64, dtype=np.uint64)
    for _ in range(9): start = time.perf_counter(); engine.render(theta, keys); print(time.perf_counter() - start)
    END

What a client gains by it, `benchmarks/wire.py` shows.
"""

from __future__ import annotations

import ctypes

MIB = 1 << 20

#: mallopt's numbers of its settings, and what they are set to.
SETTINGS = (
    (-3, 32 * MIB),  # M_MMAP_THRESHOLD: arrays up to this size come from the heap; glibc takes no more than 32 MiB
    (-4, 0),  # M_MMAP_MAX: nor do larger ones get memory of their own, which would be new at every call
    (-1, 1024 * MIB),  # M_TRIM_THRESHOLD: free memory at the heap's end that is kept
    (-2, 64 * MIB),  # M_TOP_PAD: how much more is taken when the heap must grow
    (-8, 1),  # M_ARENA_MAX: one heap for all threads, since those of other threads are at most 64 MiB long
)


def tune() -> bool:
    """Set malloc for large arrays; True if all settings were taken, False where there is no glibc."""
    try:
        libc = ctypes.CDLL(None)
        libc.gnu_get_libc_version  # noqa: B018  musl has a mallopt that does nothing, but not this
        mallopt = libc.mallopt
    except (AttributeError, OSError, TypeError):
        return False
    taken = [mallopt(setting, value) == 1 for setting, value in SETTINGS]
    return all(taken)
